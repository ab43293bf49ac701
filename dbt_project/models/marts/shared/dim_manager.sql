with manager_versions as (

    select * from {{ ref('int_managers_deduplicated') }}

),

regions as (

    select * from {{ ref('int_regions_resolved') }}

),

latest as (

    {{ latest_version('manager_versions', 'manager_id') }}

),

final as (

    select
        latest.manager_id,
        coalesce(regions.region_code, 'UNKNOWN') as region_code,
        latest.team,
        latest.grade
    from latest
    left join regions on latest.region_code = regions.region_code

)

select * from final
