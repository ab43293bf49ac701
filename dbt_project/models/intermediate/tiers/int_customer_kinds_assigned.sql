{{ config(materialized='by_month', tells_churn=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}
    where {{ is_needed('month_number') }}

),

layers as (

    select * from {{ ref('int_customer_value_layered') }}
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

    select
        max(case when name = 'group_minimum_customers' then value end)
            as group_minimum_customers,
        max(case when name = 'group_minimum_regions' then value end)
            as group_minimum_regions,
        max(case when name = 'strategic_value_score' then value end)
            as strategic_value_score,
        max(case when name = 'strategic_potential_share' then value end)
            as strategic_potential_share,
        max(case when name = 'premier_minimum_kinds' then value end)
            as premier_minimum_kinds
    from {{ ref('parameters') }}

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

organisations_ranked as (

    select
        layers.customer_id,
        layers.month_number,
        rank() over (
            partition by layers.month_number
            order by layers.potential_value desc nulls last
        ) as potential_rank,
        count(*) over (partition by layers.month_number) as organisations
    from spine
    inner join layers
        on
            spine.customer_id = layers.customer_id
            and spine.month_number = layers.month_number
    where spine.is_ranked and spine.legal_form = 'organisation'

),

kinds as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.legal_form,
        tiers.is_high_value,
        parameters.premier_minimum_kinds,
        coalesce(spine.designation, 'none') <> 'none' as is_important,
        coalesce(spine.group_agreement, false) or key_groups.group_id is not null
            as is_group,
        coalesce(spine.strategic_flag, false)
        or (
            spine.competitor is not null
            and coalesce(
                layers.value_score >= parameters.strategic_value_score, false
            )
        )
        or (
            not tiers.is_high_value
            and layers.potential_value is not null
            and coalesce(
                organisations_ranked.potential_rank <= ceil(
                    parameters.strategic_potential_share
                    * organisations_ranked.organisations
                ),
                false
            )
        ) as is_strategic
    from spine
    inner join tiers
        on
            spine.customer_id = tiers.customer_id
            and spine.month_number = tiers.month_number
    cross join parameters
    left join layers
        on
            spine.customer_id = layers.customer_id
            and spine.month_number = layers.month_number
    left join organisations_ranked
        on
            spine.customer_id = organisations_ranked.customer_id
            and spine.month_number = organisations_ranked.month_number
    left join key_groups
        on
            spine.group_id = key_groups.group_id
            and spine.month_number = key_groups.month_number

),

counted as (

    select
        customer_id,
        month,
        month_number,
        legal_form,
        is_important,
        is_high_value,
        is_group,
        is_strategic,
        premier_minimum_kinds,
        cast(is_important as integer)
        + cast(is_high_value as integer)
        + cast(is_group as integer)
        + cast(is_strategic as integer) as kind_count,
        nullif(
            concat_ws(
                ',',
                case when is_important then 'important' end,
                case when is_high_value then 'high_value' end,
                case when is_group then 'group' end,
                case when is_strategic then 'strategic' end
            ),
            ''
        ) as key_kinds
    from kinds

),

final as (

    select
        customer_id,
        month,
        month_number,
        key_kinds,
        case
            when kind_count > 0 then 'key'
            when legal_form = 'organisation' then 'commercial'
            else 'public'
        end as segment,
        is_important,
        is_high_value,
        is_group,
        is_strategic,
        kind_count >= premier_minimum_kinds as is_premier
    from counted

)

select * from final
