{% snapshot customer_tier_snapshot %}
{{
    config(
        strategy='check',
        unique_key=['customer_id', 'month'],
        check_cols=[
            'policy_id',
            'policy_version',
            'rule_tier',
            'tier_code',
            'metric_value',
            'tier_reason',
        ],
        hard_deletes='invalidate',
        pre_hook=[
            "{{ reopen_beliefs_closed_by_unpublished_runs(this) }}",
            "{{ remove_beliefs_of_unpublished_runs(this) }}",
        ],
    )
}}
-- depends_on: {{ ref('stg_control__finished_runs') }}
with tiers as (

    select * from {{ ref('customer_tier_monthly') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

final as (

    select
        tiers.customer_id,
        tiers.month,
        tiers.policy_id,
        tiers.policy_version,
        tiers.rule_tier,
        tiers.tier_code,
        tiers.metric_value,
        tiers.tier_reason,
        settings.run_id
    from tiers
    cross join settings

)

select * from final
{% endsnapshot %}
