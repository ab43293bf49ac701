with products as (

    select * from {{ ref('products') }}

),

-- Nobody knows what these sold, so both take the margin of unitemised revenue.
built_in_products as (

    select
        'UNKNOWN' as product_code,
        'Unknown product' as product_name,
        'unknown' as product_family,
        value as default_margin_share
    from {{ ref('parameters') }}
    where name = 'unitemised_margin_share'
    union all
    select
        'UNITEMISED' as product_code,
        'Revenue without charges' as product_name,
        'unitemised' as product_family,
        value as default_margin_share
    from {{ ref('parameters') }}
    where name = 'unitemised_margin_share'

),

final as (

    select
        product_code,
        product_name,
        product_family,
        default_margin_share
    from products
    union all
    select
        product_code,
        product_name,
        product_family,
        cast(default_margin_share as decimal(18, 6)) as default_margin_share
    from built_in_products

)

select * from final
