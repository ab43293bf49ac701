{{ config(materialized='by_month', tells_churn=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

margins as (

    select * from {{ ref('int_customer_margins_measured') }}
    where {{ is_needed('month_number') }}

),

potentials as (

    select * from {{ ref('int_customer_potentials_valued') }}
    where {{ is_needed('month_number') }}

),

headrooms as (

    select * from {{ ref('int_customer_headrooms_valued') }}
    where {{ is_needed('month_number') }}

),

social_scores as (

    select * from {{ ref('int_customer_social_scores_summed') }}
    where {{ is_needed('month_number') }}

),

weights as (

    select
        {{ millionths("max(case when layer = 'current' then weight end)") }}
            as current_weight,
        {{ millionths("max(case when layer = 'potential' then weight end)") }}
            as potential_weight,
        {{ millionths("max(case when layer = 'social' then weight end)") }}
            as social_weight
    from {{ ref('value_weights') }}

),

parameters as (

    {{ named_parameters(['social_score_maximum']) }}

),

-- Only what is ranked, and nothing else of the layers, goes through the sorts.
measured as (

    select
        spine.customer_id,
        spine.month_number,
        margins.current_value,
        potentials.potential_value,
        social_scores.social_score
    from spine
    inner join margins
        on
            spine.customer_id = margins.customer_id
            and spine.month_number = margins.month_number
    inner join potentials
        on
            spine.customer_id = potentials.customer_id
            and spine.month_number = potentials.month_number
    inner join social_scores
        on
            spine.customer_id = social_scores.customer_id
            and spine.month_number = social_scores.month_number
    where spine.is_ranked

),

-- Ranks among the ranked customers of the month; where potential value is not measured
-- the nulls stand behind all who have one and disturb no rank.
ranked as (

    select
        customer_id,
        month_number,
        social_score,
        potential_value is not null as has_potential,
        rank() over (partition by month_number order by current_value)
            as current_rank,
        count(*) over (partition by month_number) as current_count,
        rank() over (
            partition by month_number order by potential_value nulls last
        ) as potential_rank,
        count(potential_value) over (partition by month_number) as potential_count
    from measured

),

-- Percentile rank = place / places; the only customer of a month stands at the top.
-- From 80 000 customers on two places and a weight multiply to more than 18 digits.
placed as (

    select
        customer_id,
        month_number,
        social_score,
        has_potential,
        cast(
            case when current_count = 1 then 1 else current_rank - 1 end
            as decimal(38, 0)
        ) as current_place,
        cast(greatest(current_count - 1, 1) as decimal(38, 0)) as current_places,
        cast(
            case
                when not has_potential then 0
                when potential_count = 1 then 1
                else potential_rank - 1
            end as decimal(38, 0)
        ) as potential_place,
        cast(greatest(potential_count - 1, 1) as decimal(38, 0)) as potential_places
    from ranked

),

-- 100 x (sum of weight x layer) / (sum of the weights of the measured layers), as one
-- quotient over the common denominator: exact to its last digit.
weighed as (

    select
        placed.customer_id,
        placed.month_number,
        100 * (
            weights.current_weight * parameters.social_score_maximum
            * placed.current_place * placed.potential_places
            + case when placed.has_potential then weights.potential_weight else 0 end
            * parameters.social_score_maximum
            * placed.potential_place * placed.current_places
            + weights.social_weight * placed.social_score
            * placed.current_places * placed.potential_places
        ) as points,
        (
            weights.current_weight
            + case when placed.has_potential then weights.potential_weight else 0 end
            + weights.social_weight
        ) * parameters.social_score_maximum
        * placed.current_places * placed.potential_places as points_divisor
    from placed
    cross join weights
    cross join parameters

),

scored as (

    select
        customer_id,
        month_number,
        {{ divide_money('points', 'points_divisor') }} as value_score
    from weighed

),

final as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.is_published,
        margins.revenue,
        margins.cost_to_serve,
        margins.relationship_cost,
        margins.bad_debt,
        margins.margin,
        margins.current_value,
        potentials.potential_value,
        headrooms.headroom_value,
        social_scores.social_score,
        scored.value_score,
        nullif(
            concat_ws(
                ',',
                case when not margins.has_service_costs then 'costs' end,
                case when not margins.has_contacts then 'contacts' end,
                case when not margins.has_campaigns then 'campaigns' end,
                case when not margins.has_complaints then 'complaints' end,
                case when not margins.has_payments then 'payments' end,
                case when potentials.potential_value is null then 'potential' end,
                case
                    when spine.is_ranked and headrooms.headroom_value is null
                        then 'headroom'
                end
            ),
            ''
        ) as value_coverage
    from spine
    inner join margins
        on
            spine.customer_id = margins.customer_id
            and spine.month_number = margins.month_number
    inner join potentials
        on
            spine.customer_id = potentials.customer_id
            and spine.month_number = potentials.month_number
    inner join social_scores
        on
            spine.customer_id = social_scores.customer_id
            and spine.month_number = social_scores.month_number
    left join headrooms
        on
            spine.customer_id = headrooms.customer_id
            and spine.month_number = headrooms.month_number
    left join scored
        on
            spine.customer_id = scored.customer_id
            and spine.month_number = scored.month_number

)

select * from final
