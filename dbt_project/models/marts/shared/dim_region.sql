with regions as (

    select * from {{ ref('int_regions_resolved') }}

),

final as (

    select
        region_code,
        region_name,
        region_level,
        local_code,
        province_code,
        group_code,
        region_class
    from regions

)

select * from final
