{{ config(materialized='by_month') }}
with movements as (

    select * from {{ ref('int_customer_revenue_moved') }}
    where {{ is_needed('month') }}

),

final as (

    select
        customer_id,
        month,
        movement,
        revenue_before,
        revenue,
        change,
        won_revenue,
        kept_revenue,
        grown_revenue
    from movements

)

select * from final
