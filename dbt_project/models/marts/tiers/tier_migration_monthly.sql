{{ config(materialized='by_month', tells_tiers=true) }}
with tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}
    where
        is_published
        and {{ is_needed('month_number', 1) }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}
    where {{ is_needed('month_number', 1) }}

),

customer_tiers as (

    select
        tiers.customer_id,
        tiers.month_number,
        tiers.tier_code,
        coalesce(revenue.revenue, 0) as revenue
    from tiers
    left join revenue
        on
            tiers.customer_id = revenue.customer_id
            and tiers.month_number = revenue.month_number

),

-- A customer without a row on one side comes from, or goes to, `none`.
steps as (

    select
        coalesce(after_step.month_number, before_step.month_number + 1) as month_number,
        coalesce(before_step.tier_code, 'none') as tier_from,
        coalesce(after_step.tier_code, 'none') as tier_to,
        coalesce(after_step.revenue, 0) as revenue
    from customer_tiers as after_step
    full outer join customer_tiers as before_step
        on
            after_step.customer_id = before_step.customer_id
            and after_step.month_number = before_step.month_number + 1

),

final as (

    select
        months.month,
        steps.tier_from,
        steps.tier_to,
        count(*) as customers,
        {{ sum_money('steps.revenue') }} as revenue
    from steps
    inner join months on steps.month_number = months.month_number
    group by months.month, steps.tier_from, steps.tier_to

)

select * from final
