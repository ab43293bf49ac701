select
    cast(null as varchar) as product_code,
    cast(null as varchar) as product_name,
    cast(null as varchar) as product_family,
    cast(null as decimal(18, 6)) as default_margin_share
where false
