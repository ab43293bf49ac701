with policies as (

    select * from {{ ref('int_tier_policies_dated') }}

),

ruled as (

    select * from {{ ref('int_customer_tiers_ruled') }}

),

-- Ranked months in a row under one version of the policy share a stretch.
stretches as (

    select
        policy_id,
        customer_id,
        month_number,
        rule_tier,
        rule_tier_rank,
        service_class,
        is_high_value,
        policy_version,
        month_number - row_number() over (
            partition by policy_id, policy_version, customer_id
            order by month_number
        ) as stretch
    from ruled

),

grace_offsets as (

    {{ number_series(
        '0',
        '(select coalesce(max(grace_months), 0) from policies)'
    ) }}

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
    from stretches
    inner join policies
        on
            stretches.policy_id = policies.policy_id
            and stretches.month_number = policies.month_number
    inner join grace_offsets on policies.grace_months >= grace_offsets.number
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
        policy_id,
        customer_id,
        month_number,
        tier_code,
        tier_rank,
        service_class,
        is_high_value
    from tiers_within_grace
    where preference = 1

)

select * from final
