with products as (

    select * from {{ ref('int_products_completed') }}

),

final as (

    select
        product_code,
        product_name,
        product_family
    from products

)

select * from final
