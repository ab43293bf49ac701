{{ config(materialized='by_month', month='month_number', tells_tiers=true) }}
-- The receipts of the policies whose tiers are remembered: the one in force, and those
-- with grace. All others are only compared, and need none.
with placed as (

    select * from {{ ref('int_customer_tiers_placed') }}
    where
        (is_in_force or grace_months > 0)
        and {{ is_needed('month_number') }}

),

-- Read on its own, so that a threshold policy does not hold its customers in memory.
ranked as (

    select * from {{ ref('int_customer_tiers_placed') }}
    where
        (is_in_force or grace_months > 0)
        and {{ ranks_customers('method') }}
        and {{ is_needed('month_number') }}

),

tier_entries as (

    select
        policy_id,
        month_number,
        rule_tier,
        min(metric_value) as lowest_value
    from ranked
    group by policy_id, month_number, rule_tier

),

final as (

    select
        placed.policy_id,
        placed.policy_version,
        placed.customer_id,
        placed.month_number,
        placed.grace_months,
        placed.revenue,
        placed.metric_value,
        placed.rule_tier,
        placed.rule_tier_rank,
        placed.service_class,
        placed.is_high_value,
        placed.bound_met,
        placed.next_bound,
        case
            -- greatest() skips nulls: unmeasured is no gap, not a gap of 0.
            when placed.next_tier_code is null then null
            when placed.metric_value is null then null
            when placed.method in ('threshold', 'score')
                then cast(
                    greatest(placed.next_bound - placed.metric_value, 0)
                    as decimal(18, 4)
                )
            when tier_entries.lowest_value is not null
                then cast(
                    greatest(tier_entries.lowest_value - placed.metric_value, 0)
                    as decimal(18, 4)
                )
        end as gap_to_next,
        placed.is_in_force
    from placed
    left join tier_entries
        on
            placed.policy_id = tier_entries.policy_id
            and placed.month_number = tier_entries.month_number
            and placed.next_tier_code = tier_entries.rule_tier

)

select * from final
