{{ config(materialized='view') }}

with metrics as (

    select * from {{ ref('int_customer_metrics_measured') }}

),

cuts as (

    select * from {{ ref('int_tier_cuts_found') }}

),

final as (

    select
        metrics.policy_id,
        metrics.policy_version,
        metrics.customer_id,
        metrics.month,
        metrics.month_number,
        metrics.region_class,
        metrics.legal_form,
        metrics.metric,
        metrics.method,
        metrics.metric_currency,
        metrics.grace_months,
        metrics.revenue,
        metrics.metric_value,
        cuts.tier_code as rule_tier,
        cuts.tier_rank as rule_tier_rank,
        cuts.service_class,
        cuts.is_high_value,
        cuts.bound_met,
        cuts.next_tier_code,
        cuts.next_bound,
        metrics.is_in_force
    from metrics
    inner join cuts
        on
            metrics.policy_id = cuts.policy_id
            and metrics.policy_version = cuts.policy_version
            and metrics.month_number = cuts.month_number
            and {{ class_key('metrics.region_class') }}
            = {{ class_key('cuts.region_class') }}
            and metrics.legal_form = cuts.legal_form
    where
        (
            not cuts.is_met
            or {{ reaches_cut(
                'metrics.metric_value', 'metrics.customer_id', 'cuts.cut_comparator',
                'cuts.cut_value', 'cuts.cut_customer_id'
            ) }}
        )
        and not {{ reaches_cut(
            'metrics.metric_value', 'metrics.customer_id', 'cuts.missed_comparator',
            'cuts.missed_value', 'cuts.missed_customer_id'
        ) }}

)

select * from final
