{{ config(materialized='view') }}

with ruled as (

    select * from {{ ref('int_customer_tiers_ruled') }}

),

graced as (

    select * from {{ ref('int_customer_tiers_graced') }}

),

placed as (

    select * from {{ ref('int_customer_tiers_placed') }}
    where not is_in_force and grace_months = 0

),

final as (

    select
        ruled.policy_id,
        ruled.policy_version,
        ruled.customer_id,
        ruled.month_number,
        ruled.revenue,
        ruled.metric_value,
        graced.tier_code,
        graced.tier_rank,
        graced.service_class,
        graced.is_high_value
    from ruled
    inner join graced
        on
            ruled.policy_id = graced.policy_id
            and ruled.customer_id = graced.customer_id
            and ruled.month_number = graced.month_number
    union all
    select
        policy_id,
        policy_version,
        customer_id,
        month_number,
        revenue,
        metric_value,
        rule_tier as tier_code,
        rule_tier_rank as tier_rank,
        service_class,
        is_high_value
    from placed

)

select * from final
