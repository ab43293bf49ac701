{{ config(materialized='by_month') }}
with activity as (

    select * from {{ ref('int_account_activity_ranged') }}

),

months as (

    select * from {{ ref('int_activity_months_numbered') }}
    where {{ is_needed('month_number') }}

),

final as (

    select
        activity.account_id,
        activity.customer_id,
        activity.product_code,
        months.month,
        months.month_number,
        activity.active_subscriptions
    from activity
    inner join months
        on
            activity.month_from_number <= months.month_number
            and activity.month_to_number > months.month_number

)

select * from final
