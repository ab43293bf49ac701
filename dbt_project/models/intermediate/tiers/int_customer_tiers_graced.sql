{{ config(materialized='by_month', month='month_number', tells_tiers=true) }}
with ruled as (

    select * from {{ ref('int_customer_tiers_ruled') }}
    where {{ is_needed('month_number', longest_grace()) }}

),

-- Ranked months in a row under one version of the policy share a stretch.
stretches as (

    select
        policy_id,
        customer_id,
        month_number,
        grace_months,
        rule_tier,
        rule_tier_rank,
        service_class,
        is_high_value,
        policy_version,
        month_number - row_number() over (
            partition by policy_id, policy_version, customer_id
            order by month_number
        ) as stretch,
        lag(rule_tier_rank) over (
            partition by policy_id, policy_version, customer_id
            order by month_number
        ) as rank_before
    from ruled

),

grace_offsets as (

    {{ number_series(
        '0',
        '(select coalesce(max(grace_months), 0) from ruled)'
    ) }}

),

-- Grace only matters after a fall, and few customer-months follow one: the months from
-- the fall on that it may still reach.
fallen as (

    select distinct
        falls.policy_id,
        falls.policy_version,
        falls.customer_id,
        falls.grace_months,
        falls.month_number + grace_offsets.number as month_number
    from stretches as falls
    inner join grace_offsets on falls.grace_months > grace_offsets.number
    where falls.rule_tier_rank > falls.rank_before

),

-- The months whose tier still counts: the month itself and, within its stretch, those
-- that grace reaches back to. Of equal tiers the nearest month counts.
tiers_within_grace as (

    select
        stretches.policy_id,
        stretches.customer_id,
        stretches.month_number,
        earlier.rule_tier as tier_code,
        earlier.rule_tier_rank as tier_rank,
        earlier.service_class,
        earlier.is_high_value,
        row_number() over (
            partition by
                stretches.policy_id, stretches.customer_id, stretches.month_number
            order by earlier.rule_tier_rank, grace_offsets.number
        ) as preference
    from fallen
    inner join stretches
        on
            fallen.policy_id = stretches.policy_id
            and fallen.policy_version = stretches.policy_version
            and fallen.customer_id = stretches.customer_id
            and fallen.month_number = stretches.month_number
    inner join grace_offsets on fallen.grace_months >= grace_offsets.number
    inner join stretches as earlier
        on
            stretches.policy_id = earlier.policy_id
            and stretches.policy_version = earlier.policy_version
            and stretches.customer_id = earlier.customer_id
            and stretches.stretch = earlier.stretch
            and stretches.month_number - grace_offsets.number = earlier.month_number

),

final as (

    select
        ruled.policy_id,
        ruled.customer_id,
        ruled.month_number,
        coalesce(lent.tier_code, ruled.rule_tier) as tier_code,
        coalesce(lent.tier_rank, ruled.rule_tier_rank) as tier_rank,
        coalesce(lent.service_class, ruled.service_class) as service_class,
        coalesce(lent.is_high_value, ruled.is_high_value) as is_high_value
    from ruled
    left join tiers_within_grace as lent
        on
            ruled.policy_id = lent.policy_id
            and ruled.customer_id = lent.customer_id
            and ruled.month_number = lent.month_number
            and lent.preference = 1

)

select * from final
