{{ config(materialized='by_month', tells_tiers=true) }}
with policies as (

    select * from {{ ref('int_tier_policies_dated') }}
    where
        not is_left_out
        and {{ is_needed('month_number') }}

),

replayed as (

    select * from {{ ref('int_customer_tiers_replayed') }}
    where {{ is_needed('month_number') }}

),

spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where
        is_published and not is_ranked
        and {{ is_needed('month_number') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}
    where {{ is_needed('month_number') }}

),

ranked_tiers as (

    select
        policy_id,
        month_number,
        tier_code,
        tier_rank,
        count(*) as customers,
        {{ sum_money('revenue') }} as revenue,
        min(metric_value) as bound_metric_min
    from replayed
    group by policy_id, month_number, tier_code, tier_rank

),

-- Whoever is not ranked is so under every policy.
unranked_months as (

    select
        spine.month_number,
        count(*) as customers,
        {{ sum_money('coalesce(revenue.revenue, 0)') }} as revenue
    from spine
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    group by spine.month_number

),

tiers as (

    select
        policy_id,
        month_number,
        tier_code,
        tier_rank,
        customers,
        revenue,
        bound_metric_min
    from ranked_tiers
    union all
    select
        policies.policy_id,
        policies.month_number,
        'none' as tier_code,
        cast(null as bigint) as tier_rank,
        unranked_months.customers,
        unranked_months.revenue,
        cast(null as decimal(18, 4)) as bound_metric_min
    from unranked_months
    inner join policies on unranked_months.month_number = policies.month_number

),

final as (

    select
        policies.month,
        policies.policy_id,
        tiers.tier_code,
        policies.policy_version,
        tiers.tier_rank,
        tiers.customers,
        tiers.revenue,
        {{ share_of(
            'tiers.revenue',
            'sum(tiers.revenue) over (partition by tiers.policy_id, tiers.month_number)'
        ) }} as revenue_share,
        tiers.bound_metric_min,
        policies.metric_currency,
        policies.is_in_force
    from tiers
    inner join policies
        on
            tiers.policy_id = policies.policy_id
            and tiers.month_number = policies.month_number

)

select * from final
