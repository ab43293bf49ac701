{{ config(materialized='by_month') }}
with activity as (

    select * from {{ ref('int_customer_activity_ranged') }}
    where active_subscriptions > 0

),

months as (

    select * from {{ ref('int_activity_months_numbered') }}
    where {{ is_needed('month_number') }}

),

final as (

    select
        activity.customer_id,
        months.month,
        months.month_number,
        activity.active_subscriptions,
        activity.active_accounts,
        activity.products,
        activity.product_families
    from activity
    inner join months
        on
            activity.month_from_number <= months.month_number
            and activity.month_to_number > months.month_number

)

select * from final
