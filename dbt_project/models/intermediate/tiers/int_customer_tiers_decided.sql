{{ config(materialized='by_month', tells_tiers=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

policies as (

    select * from {{ ref('int_tier_policies_dated') }}
    where is_in_force

),

ruled as (

    select * from {{ ref('int_customer_tiers_ruled') }}
    where
        is_in_force
        and {{ is_needed('month_number') }}

),

graced as (

    select * from {{ ref('int_customer_tiers_graced') }}
    where {{ is_needed('month_number') }}

),

resolved_bands as (

    select * from {{ ref('int_tier_bands_resolved') }}

),

bands as (

    select * from {{ ref('tier_bands') }}

),

overrides as (

    select * from {{ ref('tier_overrides') }}

),

-- Were two overrides in force at once, the one begun last would count.
overrides_in_force as (

    select
        overrides.customer_id,
        overrides.tier_code,
        months.month_number,
        row_number() over (
            partition by overrides.customer_id, months.month_number
            order by overrides.valid_from desc
        ) as recency
    from overrides
    inner join months
        on
            overrides.valid_from <= months.month_end
            and overrides.valid_to > months.month_end

),

-- A tier given to a customer whose class has no band of it keeps its rank and service.
policy_tiers as (

    select
        policy_id,
        policy_version,
        tier_code,
        tier_rank,
        coalesce(service_class, 'standard') as service_class,
        coalesce(is_high_value, false) as is_high_value,
        row_number() over (
            partition by policy_id, policy_version, tier_code
            order by
                tier_rank,
                {{ class_key('region_class') }},
                {{ class_key('legal_form') }}
        ) as preference
    from bands

),

overridden as (

    select
        ruled.policy_id,
        ruled.customer_id,
        ruled.month_number,
        overrides_in_force.tier_code,
        coalesce(resolved_bands.tier_rank, policy_tiers.tier_rank) as tier_rank,
        coalesce(resolved_bands.service_class, policy_tiers.service_class)
            as service_class,
        coalesce(resolved_bands.is_high_value, policy_tiers.is_high_value)
            as is_high_value,
        row_number() over (
            partition by ruled.policy_id, ruled.customer_id, ruled.month_number
            order by resolved_bands.tier_rank
        ) as preference
    from ruled
    inner join overrides_in_force
        on
            ruled.customer_id = overrides_in_force.customer_id
            and ruled.month_number = overrides_in_force.month_number
            and overrides_in_force.recency = 1
    inner join spine
        on
            ruled.customer_id = spine.customer_id
            and ruled.month_number = spine.month_number
    left join resolved_bands
        on
            ruled.policy_id = resolved_bands.policy_id
            and ruled.policy_version = resolved_bands.policy_version
            and {{ class_key('spine.region_class') }}
            = {{ class_key('resolved_bands.region_class') }}
            and spine.legal_form = resolved_bands.legal_form
            and overrides_in_force.tier_code = resolved_bands.tier_code
    left join policy_tiers
        on
            ruled.policy_id = policy_tiers.policy_id
            and ruled.policy_version = policy_tiers.policy_version
            and overrides_in_force.tier_code = policy_tiers.tier_code
            and policy_tiers.preference = 1

),

decided as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.is_published,
        policies.policy_id,
        policies.policy_version,
        policies.method,
        ruled.metric_value,
        ruled.rule_tier_rank,
        ruled.bound_met,
        ruled.next_bound,
        ruled.gap_to_next,
        coalesce(ruled.rule_tier, 'none') as rule_tier,
        case
            when not spine.is_ranked then 'inactive'
            when overridden.tier_code is not null then 'override'
            when graced.tier_code <> ruled.rule_tier then 'grace'
            else 'rule'
        end as tier_reason,
        coalesce(overridden.tier_code, graced.tier_code, 'none') as tier_code,
        case
            when overridden.tier_code is not null then overridden.tier_rank
            else graced.tier_rank
        end as tier_rank,
        case
            when overridden.tier_code is not null then overridden.service_class
            else coalesce(graced.service_class, 'standard')
        end as service_class,
        case
            when overridden.tier_code is not null then overridden.is_high_value
            else coalesce(graced.is_high_value, false)
        end as is_high_value
    from spine
    left join policies on spine.month_number = policies.month_number
    left join ruled
        on
            policies.policy_id = ruled.policy_id
            and spine.customer_id = ruled.customer_id
            and spine.month_number = ruled.month_number
    left join graced
        on
            ruled.policy_id = graced.policy_id
            and ruled.customer_id = graced.customer_id
            and ruled.month_number = graced.month_number
    left join overridden
        on
            ruled.policy_id = overridden.policy_id
            and ruled.customer_id = overridden.customer_id
            and ruled.month_number = overridden.month_number
            and overridden.preference = 1

)

select * from decided
