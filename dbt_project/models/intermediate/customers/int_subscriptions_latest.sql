select
    cast(null as varchar) as subscription_id,
    cast(null as varchar) as account_id,
    cast(null as varchar) as product_code,
    cast(null as varchar) as contract_id,
    cast(null as date) as activated_on,
    cast(null as date) as deactivated_on,
    cast(null as varchar) as deactivation_reason
where false
