with regions as (

    select * from {{ ref('regions') }}

),

group_region as (

    select min(region_code) as group_code
    from regions
    where region_level = 'group'

),

resolved as (

    select
        regions.region_code,
        regions.region_name,
        regions.region_level,
        case when regions.region_level = 'local' then regions.region_code end
            as local_code,
        case
            when regions.region_level = 'province' then regions.region_code
            when parents.region_level = 'province' then parents.region_code
        end as province_code,
        group_region.group_code,
        regions.region_class
    from regions
    left join regions as parents on regions.parent_code = parents.region_code
    cross join group_region

),

-- Where customers of a code that no reference table knows are counted.
unknown_region as (

    select
        'UNKNOWN' as region_code,
        'Unknown' as region_name,
        'local' as region_level,
        'UNKNOWN' as local_code,
        cast(null as varchar) as province_code,
        group_code,
        cast(null as varchar) as region_class
    from group_region

),

final as (

    select * from resolved
    union all
    select * from unknown_region

)

select * from final
