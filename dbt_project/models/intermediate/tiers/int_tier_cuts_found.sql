{{ config(materialized='by_month', month='month_number', tells_tiers=true) }}
with policies as (

    select * from {{ ref('int_tier_policies_dated') }}
    where
        not is_left_out
        and {{ is_needed('month_number') }}

),

bands as (

    select * from {{ ref('int_tier_bands_resolved') }}

),

metrics as (

    select * from {{ ref('int_customer_metrics_measured') }}
    where
        policy_id = order_policy_id
        and metric_value > 0
        and {{ is_needed('month_number') }}

),

-- The population of the ranking methods. Equal metrics stand together, so that the
-- order is one of amounts, which are fewer than customers.
amounts as (

    select
        order_policy_id,
        month_number,
        metric_value,
        count(*) as customers,
        {{ sum_money('metric_value') }} as metric_sum
    from metrics
    group by order_policy_id, month_number, metric_value

),

positions as (

    select
        order_policy_id,
        month_number,
        metric_value,
        sum(customers) over (
            partition by order_policy_id, month_number
            order by metric_value desc
            rows between unbounded preceding and current row
        ) - customers + 1 as metric_rank,
        sum(customers) over (partition by order_policy_id, month_number) as population,
        cast(
            sum(metric_sum) over (partition by order_policy_id, month_number)
            as decimal(18, 4)
        ) as metric_total,
        cast(
            sum(metric_sum) over (
                partition by order_policy_id, month_number
                order by metric_value desc
                rows between unbounded preceding and current row
            ) - metric_sum as decimal(18, 4)
        ) as metric_before
    from amounts

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

-- The amounts that let in somebody; the lowest of them ends the band.
amounts_in as (

    select
        ranking_bounds.policy_id,
        ranking_bounds.policy_version,
        ranking_bounds.month_number,
        ranking_bounds.order_policy_id,
        ranking_bounds.method,
        ranking_bounds.bound,
        min(positions.metric_value) as lowest_value,
        max(positions.metric_before) as metric_before,
        max(positions.metric_total) as metric_total
    from positions
    inner join ranking_bounds
        on
            positions.order_policy_id = ranking_bounds.order_policy_id
            and positions.month_number = ranking_bounds.month_number
    where
        case ranking_bounds.method
            when 'top_n' then positions.metric_rank <= ranking_bounds.bound
            when 'top_share_of_customers'
                then
                    positions.metric_rank
                    <= ceil(ranking_bounds.bound * positions.population)
            else positions.metric_before < ranking_bounds.bound * positions.metric_total
        end
    group by
        ranking_bounds.policy_id,
        ranking_bounds.policy_version,
        ranking_bounds.month_number,
        ranking_bounds.order_policy_id,
        ranking_bounds.method,
        ranking_bounds.bound

),

-- Of equal metrics a share of customers or a number of them takes all, a share of the
-- metric those whose predecessors do not yet make it up.
last_amounts as (

    select
        amounts_in.policy_id,
        amounts_in.policy_version,
        amounts_in.month_number,
        amounts_in.method,
        amounts_in.bound,
        amounts_in.metric_before,
        amounts_in.metric_total,
        metrics.customer_id,
        metrics.metric_value,
        row_number() over (
            partition by
                amounts_in.policy_id,
                amounts_in.policy_version,
                amounts_in.month_number,
                amounts_in.bound
            order by metrics.customer_id
        ) as place
    from metrics
    inner join amounts_in
        on
            metrics.order_policy_id = amounts_in.order_policy_id
            and metrics.month_number = amounts_in.month_number
            and metrics.metric_value = amounts_in.lowest_value

),

last_members as (

    select
        policy_id,
        policy_version,
        month_number,
        bound,
        metric_value,
        max(customer_id) as customer_id
    from last_amounts
    where
        method <> 'cumulative_share_of_metric'
        or metric_before + (place - 1) * metric_value < bound * metric_total
    group by policy_id, policy_version, month_number, bound, metric_value

),

-- Every band of a month with the value that lets in; null where it lets in nobody. An
-- amount of 4 decimals reaches a bound of 6 where it reaches the next amount above, and
-- exceeds it where it exceeds the one below: so amounts are compared with amounts.
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
                when bands.comparator = 'gt' then floor(bands.bound * 10000) * 0.0001
                else ceil(bands.bound * 10000) * 0.0001
            end as decimal(18, 4)
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
                banded.policy_id,
                banded.policy_version,
                banded.month_number,
                banded.region_class,
                banded.legal_form
            order by
                banded.cut_value asc nulls last,
                case when banded.cut_comparator = 'gt' then 1 else 0 end asc,
                banded.cut_customer_id desc nulls last,
                banded.band_number asc
        ) as strictness
    from banded

),

-- A band holds who reaches its cut and that of no better band; the fallback also holds
-- who reaches none at all.
placements as (

    select
        graded.*,
        true as is_met,
        min(graded.strictness) over (
            partition by
                graded.policy_id,
                graded.policy_version,
                graded.month_number,
                graded.region_class,
                graded.legal_form
            order by graded.band_number
            rows between unbounded preceding and 1 preceding
        ) as missed_strictness
    from graded
    union all
    select
        graded.*,
        false as is_met,
        cast(1 as bigint) as missed_strictness
    from graded
    where graded.is_fallback

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
