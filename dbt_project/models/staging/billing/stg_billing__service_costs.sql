with source as (

    select * from {{ source('raw_billing', 'service_costs') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(cost_month as date) as cost_month,
        cast(product_code as varchar) as product_code,
        cast(region_code as varchar) as region_code,
        cast(cost_per_subscription as decimal(18, 4)) as cost_per_subscription,
        cast(cost_share_of_revenue as decimal(9, 6)) as cost_share_of_revenue
    from source

)

select * from renamed
