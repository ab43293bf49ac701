select
    cast(null as varchar) as customer_id,
    cast(null as bigint) as month_from_number,
    cast(null as bigint) as month_to_number,
    cast(null as varchar) as region_code,
    cast(null as varchar) as region_class,
    cast(null as varchar) as manager_id,
    cast(null as varchar) as designation,
    cast(null as boolean) as strategic_flag,
    cast(null as boolean) as group_agreement,
    cast(null as boolean) as marketing_consent,
    cast(null as boolean) as third_party_consent,
    cast(null as varchar) as competitor
where false
