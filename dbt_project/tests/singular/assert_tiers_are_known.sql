{#- A tier is none, standard, or one of the bands of the policy version in force. -#}
with tiers as (

    select * from {{ ref('customer_tier_monthly') }}

),

bands as (

    select distinct
        policy_id,
        policy_version,
        tier_code
    from {{ ref('tier_bands') }}

),

codes as (

    select distinct
        policy_id,
        policy_version,
        tier_code
    from tiers
    union
    select distinct
        policy_id,
        policy_version,
        rule_tier as tier_code
    from tiers

),

unknown_codes as (

    select
        codes.policy_id,
        codes.policy_version,
        codes.tier_code
    from codes
    left join bands
        on
            codes.policy_id = bands.policy_id
            and codes.policy_version = bands.policy_version
            and codes.tier_code = bands.tier_code
    where
        bands.tier_code is null
        and codes.tier_code not in ('none', 'standard')

)

select * from unknown_codes
