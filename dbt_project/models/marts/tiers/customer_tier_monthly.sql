{{ config(materialized='by_month', tells_tiers=true) }}
with decided as (

    select * from {{ ref('int_customer_tiers_decided') }}
    where {{ is_needed('month') }}

),

policies as (

    select * from {{ ref('int_tier_policies_dated') }}
    where is_in_force

),

-- Whoever is not ranked has no metric, and so none in a currency.
final as (

    select
        decided.customer_id,
        decided.month,
        policies.policy_id,
        policies.policy_version,
        policies.metric,
        decided.metric_value,
        case when decided.rule_tier_rank is not null then policies.metric_currency end
            as metric_currency,
        decided.rule_tier,
        decided.tier_code,
        decided.tier_rank,
        decided.tier_reason,
        decided.service_class,
        decided.bound_met,
        decided.next_bound,
        decided.gap_to_next
    from decided
    left join policies on decided.month_number = policies.month_number
    where decided.is_published

)

select * from final
