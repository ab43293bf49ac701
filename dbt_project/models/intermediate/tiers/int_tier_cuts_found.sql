with policies as (

    select * from {{ ref('int_tier_policies_dated') }}
    where not is_left_out

),

bands as (

    select * from {{ ref('int_tier_bands_resolved') }}

),

metrics as (

    select * from {{ ref('int_customer_metrics_measured') }}
    where policy_id = order_policy_id and metric_value > 0

),

-- The population of the ranking methods.
positions as (

    select
        order_policy_id,
        month_number,
        customer_id,
        metric_value,
        rank() over (
            partition by order_policy_id, month_number
            order by metric_value desc
        ) as metric_rank,
        count(*) over (partition by order_policy_id, month_number) as population,
        cast(
            sum(metric_value) over (partition by order_policy_id, month_number)
            as decimal(18, 4)
        ) as metric_total,
        cast(
            sum(metric_value) over (
                partition by order_policy_id, month_number
                order by metric_value desc, customer_id asc
                rows between unbounded preceding and current row
            ) - metric_value as decimal(18, 4)
        ) as metric_before
    from metrics

),

ranking_bounds as (

    select distinct
        policies.policy_id,
        policies.policy_version,
        policies.month_number,
        policies.order_policy_id,
        policies.method,
        bands.bound
    from policies
    inner join bands
        on
            policies.policy_id = bands.policy_id
            and policies.policy_version = bands.policy_version
    where policies.order_policy_id is not null and bands.bound is not null

),

members as (

    select
        ranking_bounds.policy_id,
        ranking_bounds.policy_version,
        ranking_bounds.month_number,
        ranking_bounds.bound,
        positions.customer_id,
        positions.metric_value
    from positions
    inner join ranking_bounds
        on
            positions.order_policy_id = ranking_bounds.order_policy_id
            and positions.month_number = ranking_bounds.month_number
    where
        case ranking_bounds.method
            when 'top_n' then positions.metric_rank <= ranking_bounds.bound
            when 'top_share_of_customers'
                then positions.metric_rank
                <= ceil(ranking_bounds.bound * positions.population)
            else positions.metric_before < ranking_bounds.bound * positions.metric_total
        end

),

lowest_members as (

    select
        policy_id,
        policy_version,
        month_number,
        bound,
        min(metric_value) as lowest_value
    from members
    group by policy_id, policy_version, month_number, bound

),

last_members as (

    select
        members.policy_id,
        members.policy_version,
        members.month_number,
        members.bound,
        members.metric_value,
        max(members.customer_id) as customer_id
    from members
    inner join lowest_members
        on
            members.policy_id = lowest_members.policy_id
            and members.policy_version = lowest_members.policy_version
            and members.month_number = lowest_members.month_number
            and members.bound = lowest_members.bound
            and members.metric_value = lowest_members.lowest_value
    group by
        members.policy_id,
        members.policy_version,
        members.month_number,
        members.bound,
        members.metric_value

),

-- Every band of a month with the value that lets in; null where it lets in nobody.
banded as (

    select
        policies.month_number,
        bands.*,
        case
            when policies.order_policy_id is not null then 'through'
            when bands.comparator = 'gt' then 'gt'
            else 'ge'
        end as cut_comparator,
        cast(
            case
                when policies.order_policy_id is not null then last_members.metric_value
                else bands.bound
            end as decimal(18, 6)
        ) as cut_value,
        last_members.customer_id as cut_customer_id
    from policies
    inner join bands
        on
            policies.policy_id = bands.policy_id
            and policies.policy_version = bands.policy_version
    left join last_members
        on
            policies.policy_id = last_members.policy_id
            and policies.policy_version = last_members.policy_version
            and policies.month_number = last_members.month_number
            and bands.bound = last_members.bound

),

-- The cuts of a class from the one that lets in most to the one that lets in fewest.
graded as (

    select
        banded.*,
        row_number() over (
            partition by
                policy_id, policy_version, month_number, region_class, legal_form
            order by
                cut_value nulls last,
                case when cut_comparator = 'gt' then 1 else 0 end,
                cut_customer_id desc nulls last,
                band_number
        ) as strictness
    from banded

),

-- A band holds who reaches its cut and that of no better band; the fallback also holds
-- who reaches none at all.
placements as (

    select
        graded.*,
        true as is_met,
        min(strictness) over (
            partition by
                policy_id, policy_version, month_number, region_class, legal_form
            order by band_number
            rows between unbounded preceding and 1 preceding
        ) as missed_strictness
    from graded
    union all
    select
        graded.*,
        false as is_met,
        cast(1 as bigint) as missed_strictness
    from graded
    where is_fallback

),

final as (

    select
        placements.policy_id,
        placements.policy_version,
        placements.month_number,
        placements.region_class,
        placements.legal_form,
        placements.band_number,
        placements.tier_code,
        placements.tier_rank,
        placements.service_class,
        placements.is_high_value,
        case when placements.is_met then placements.bound end as bound_met,
        placements.next_tier_code,
        placements.next_bound,
        placements.is_met,
        placements.cut_comparator,
        placements.cut_value,
        placements.cut_customer_id,
        missed.cut_comparator as missed_comparator,
        missed.cut_value as missed_value,
        missed.cut_customer_id as missed_customer_id
    from placements
    left join graded as missed
        on
            placements.policy_id = missed.policy_id
            and placements.policy_version = missed.policy_version
            and placements.month_number = missed.month_number
            and {{ class_key('placements.region_class') }}
            = {{ class_key('missed.region_class') }}
            and placements.legal_form = missed.legal_form
            and placements.missed_strictness = missed.strictness
    where not placements.is_met or placements.cut_value is not null

)

select * from final
