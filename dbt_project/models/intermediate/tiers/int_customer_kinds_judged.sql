{{ config(materialized='by_month', tells_tiers=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}
    where {{ is_needed('month_number') }}

),

customers_ranged as (

    select * from {{ ref('int_customers_ranged') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

bands as (

    select * from {{ ref('int_tier_bands_resolved') }}

),

parameters as (

    {{ named_parameters(['group_minimum_customers', 'group_minimum_regions']) }}

),

-- The groups that a threshold policy can judge as one customer.
groups_summed as (

    select
        spine.group_id,
        spine.month_number,
        tiers.policy_id,
        tiers.policy_version,
        count(*) as ranked_customers,
        count(
            distinct case
                when spine.region_code <> 'UNKNOWN' then spine.region_code
            end
        ) as local_networks,
        {{ sum_money('tiers.metric_value') }} as metric_value
    from spine
    inner join tiers
        on
            spine.customer_id = tiers.customer_id
            and spine.month_number = tiers.month_number
    where spine.is_ranked and tiers.method = 'threshold'
    group by
        spine.group_id,
        spine.month_number,
        tiers.policy_id,
        tiers.policy_version

),

groups_wide as (

    select
        groups_summed.group_id,
        groups_summed.month_number,
        groups_summed.policy_id,
        groups_summed.policy_version,
        groups_summed.metric_value
    from groups_summed
    cross join parameters
    where
        groups_summed.ranked_customers >= parameters.group_minimum_customers
        and groups_summed.local_networks >= parameters.group_minimum_regions

),

-- The root may itself have no subscription, hence no row of its own in the spine.
group_bands as (

    select
        groups_wide.group_id,
        groups_wide.month_number,
        groups_wide.metric_value,
        bands.comparator,
        bands.bound,
        row_number() over (
            partition by groups_wide.group_id, groups_wide.month_number
            order by bands.bound, bands.comparator
        ) as preference
    from groups_wide
    inner join customers on groups_wide.group_id = customers.customer_id
    inner join customers_ranged
        on
            groups_wide.group_id = customers_ranged.customer_id
            and groups_wide.month_number >= customers_ranged.month_from_number
            and groups_wide.month_number < customers_ranged.month_to_number
    inner join bands
        on
            groups_wide.policy_id = bands.policy_id
            and groups_wide.policy_version = bands.policy_version
            and {{ class_key('customers_ranged.region_class') }}
            = {{ class_key('bands.region_class') }}
            and customers.legal_form = bands.legal_form
    where bands.is_high_value

),

key_groups as (

    select
        group_id,
        month_number
    from group_bands
    where
        preference = 1
        and {{ reaches_bound('metric_value', 'comparator', 'bound') }}

),

final as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.legal_form,
        spine.is_ranked,
        spine.competitor is not null as has_competitor,
        coalesce(spine.designation, 'none') <> 'none' as is_important,
        tiers.is_high_value,
        coalesce(spine.group_agreement, false) or key_groups.group_id is not null
            as is_group,
        coalesce(spine.strategic_flag, false) as is_flagged_strategic
    from spine
    inner join tiers
        on
            spine.customer_id = tiers.customer_id
            and spine.month_number = tiers.month_number
    left join key_groups
        on
            spine.group_id = key_groups.group_id
            and spine.month_number = key_groups.month_number

)

select * from final
