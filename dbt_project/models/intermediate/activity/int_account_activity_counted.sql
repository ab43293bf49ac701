{{ config(materialized='view') }}

with activity as (

    select * from {{ ref('int_account_activity_ranged') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

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
