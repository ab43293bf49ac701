with customer_versions as (

    select * from {{ ref('int_customers_deduplicated') }}

),

local_networks as (

    select * from {{ ref('int_regions_resolved') }}
    where region_level = 'local'

),

managers as (

    select distinct manager_id from {{ ref('int_managers_deduplicated') }}

),

ranged as (

    {{ version_ranges('customer_versions', 'customer_id') }}

),

final as (

    select
        ranged.customer_id,
        ranged.month_from_number,
        ranged.month_to_number,
        coalesce(local_networks.region_code, 'UNKNOWN') as region_code,
        local_networks.region_class,
        managers.manager_id,
        ranged.designation,
        ranged.strategic_flag,
        ranged.group_agreement,
        ranged.marketing_consent,
        ranged.third_party_consent,
        ranged.competitor
    from ranged
    left join local_networks on ranged.region_code = local_networks.region_code
    left join managers on ranged.manager_id = managers.manager_id

)

select * from final
