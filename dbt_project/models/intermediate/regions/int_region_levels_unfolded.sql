with regions as (

    select * from {{ ref('int_regions_resolved') }}
    where region_level = 'local'

),

final as (

    select
        local_code,
        local_code as region_code
    from regions
    union all
    select
        local_code,
        province_code as region_code
    from regions
    where province_code is not null
    union all
    select
        local_code,
        group_code as region_code
    from regions
    where group_code is not null

)

select * from final
