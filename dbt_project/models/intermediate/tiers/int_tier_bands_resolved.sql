with bands as (

    select * from {{ ref('tier_bands') }}

),

regions as (

    select * from {{ ref('int_regions_resolved') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

policy_versions as (

    select
        policy_id,
        policy_version,
        max(tier_rank) as lowest_rank,
        max(case when tier_code = 'standard' then tier_rank end) as standard_rank
    from bands
    group by policy_id, policy_version

),

-- UNKNOWN is one of the local networks and the one without a class.
region_classes as (

    select distinct region_class
    from regions
    where region_level = 'local'

),

legal_forms as (

    select distinct legal_form
    from customers

),

customer_classes as (

    select
        policy_versions.policy_id,
        policy_versions.policy_version,
        policy_versions.lowest_rank,
        region_classes.region_class,
        legal_forms.legal_form,
        coalesce(policy_versions.standard_rank = policy_versions.lowest_rank, false)
            as is_standard_lowest
    from policy_versions
    cross join region_classes
    cross join legal_forms

),

matching_bands as (

    select
        classes.policy_id,
        classes.policy_version,
        classes.region_class,
        classes.legal_form,
        classes.is_standard_lowest,
        bands.tier_code,
        bands.tier_rank,
        bands.comparator,
        bands.bound,
        bands.service_class,
        bands.is_high_value,
        row_number() over (
            partition by
                classes.policy_id,
                classes.policy_version,
                classes.region_class,
                classes.legal_form,
                bands.tier_code
            order by
                case when bands.region_class is not null then 0 else 1 end,
                case when bands.legal_form is not null then 0 else 1 end
        ) as specificity
    from customer_classes as classes
    inner join bands
        on
            classes.policy_id = bands.policy_id
            and classes.policy_version = bands.policy_version
            and coalesce(bands.region_class, {{ class_key('classes.region_class') }})
            = {{ class_key('classes.region_class') }}
            and coalesce(bands.legal_form, classes.legal_form) = classes.legal_form

),

applicable_bands as (

    select
        policy_id,
        policy_version,
        region_class,
        legal_form,
        tier_code,
        tier_rank,
        comparator,
        bound,
        coalesce(service_class, 'standard') as service_class,
        coalesce(is_high_value, false) as is_high_value,
        is_standard_lowest and tier_code = 'standard' as is_fallback
    from matching_bands
    where specificity = 1

),

-- Where none of these bands is the policy's lowest and `standard`, those who meet
-- none still get a `standard`, below all others.
missing_fallbacks as (

    select
        classes.policy_id,
        classes.policy_version,
        classes.region_class,
        classes.legal_form,
        'standard' as tier_code,
        classes.lowest_rank + case when classes.is_standard_lowest then 0 else 1 end
            as tier_rank,
        cast(null as varchar) as comparator,
        cast(null as decimal(18, 6)) as bound,
        'standard' as service_class,
        false as is_high_value,
        true as is_fallback
    from customer_classes as classes
    left join applicable_bands as bands
        on
            classes.policy_id = bands.policy_id
            and classes.policy_version = bands.policy_version
            and {{ class_key('classes.region_class') }}
            = {{ class_key('bands.region_class') }}
            and classes.legal_form = bands.legal_form
            and bands.is_fallback
    where bands.policy_id is null

),

completed as (

    select * from applicable_bands
    union all
    select * from missing_fallbacks

),

ordered as (

    select
        policy_id,
        policy_version,
        region_class,
        legal_form,
        tier_code,
        tier_rank,
        comparator,
        bound,
        service_class,
        is_high_value,
        is_fallback,
        row_number() over (
            partition by policy_id, policy_version, region_class, legal_form
            order by tier_rank, is_fallback, tier_code
        ) as band_number
    from completed

),

final as (

    select
        policy_id,
        policy_version,
        region_class,
        legal_form,
        tier_code,
        tier_rank,
        band_number,
        comparator,
        bound,
        service_class,
        is_high_value,
        is_fallback,
        lag(tier_code) over (
            partition by policy_id, policy_version, region_class, legal_form
            order by band_number
        ) as next_tier_code,
        lag(bound) over (
            partition by policy_id, policy_version, region_class, legal_form
            order by band_number
        ) as next_bound
    from ordered

)

select * from final
