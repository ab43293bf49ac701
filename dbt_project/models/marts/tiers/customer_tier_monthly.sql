{{ config(materialized='by_month', tells_tiers=true) }}
with decided as (

    select * from {{ ref('int_customer_tiers_decided') }}
    where {{ is_needed('month') }}

),

final as (

    select
        customer_id,
        month,
        policy_id,
        policy_version,
        metric,
        metric_value,
        metric_currency,
        rule_tier,
        tier_code,
        tier_rank,
        tier_reason,
        service_class,
        bound_met,
        next_bound,
        gap_to_next
    from decided
    where is_published

)

select * from final
