select
    cast(null as varchar) as customer_id,
    cast(null as varchar) as customer_name,
    cast(null as varchar) as legal_form,
    cast(null as varchar) as industry,
    cast(null as varchar) as group_id,
    cast(null as date) as registered_on
where false
