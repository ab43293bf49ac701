select
    cast(null as varchar) as region_code,
    cast(null as varchar) as region_name,
    cast(null as varchar) as region_level,
    cast(null as varchar) as local_code,
    cast(null as varchar) as province_code,
    cast(null as varchar) as group_code,
    cast(null as varchar) as region_class
where false
