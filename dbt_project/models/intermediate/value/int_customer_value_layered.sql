with spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

margins as (

    select * from {{ ref('int_customer_margins_measured') }}

),

potentials as (

    select * from {{ ref('int_customer_potentials_valued') }}

),

headrooms as (

    select * from {{ ref('int_customer_headrooms_valued') }}

),

social_scores as (

    select * from {{ ref('int_customer_social_scores_summed') }}

),

weights as (

    select
        max(case when layer = 'current' then weight end) as current_weight,
        max(case when layer = 'potential' then weight end) as potential_weight,
        max(case when layer = 'social' then weight end) as social_weight
    from {{ ref('value_weights') }}

),

parameters as (

    {{ named_parameters(['social_score_maximum']) }}

),

layered as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.is_published,
        spine.is_ranked,
        margins.revenue,
        margins.cost_to_serve,
        margins.relationship_cost,
        margins.bad_debt,
        margins.margin,
        margins.current_value,
        potentials.potential_value,
        headrooms.headroom_value,
        social_scores.social_score,
        margins.has_service_costs,
        margins.has_contacts,
        margins.has_campaigns,
        margins.has_complaints,
        margins.has_payments
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

),

-- Ranks among the ranked customers of the month; where potential value is not measured
-- the nulls stand behind all who have one and disturb no rank.
ranked as (

    select
        customer_id,
        month_number,
        potential_value is not null as has_potential,
        rank() over (partition by month_number order by current_value)
            as current_rank,
        count(*) over (partition by month_number) as current_count,
        rank() over (
            partition by month_number order by potential_value nulls last
        ) as potential_rank,
        count(potential_value) over (partition by month_number) as potential_count
    from layered
    where is_ranked

),

-- Percentile rank = place / places; the only customer of a month stands at the top.
-- From 80 000 customers on two places and a weight multiply to more than 18 digits.
placed as (

    select
        customer_id,
        month_number,
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

weighed as (

    select
        placed.customer_id,
        placed.month_number,
        placed.current_place,
        placed.current_places,
        placed.potential_place,
        placed.potential_places,
        weights.current_weight,
        case when placed.has_potential then weights.potential_weight else 0 end
            as potential_weight,
        weights.social_weight
    from placed
    cross join weights

),

-- 100 x (sum of weight x layer) / (sum of the weights of the measured layers), as one
-- quotient over the common denominator: exact to its last digit.
scored as (

    select
        layered.customer_id,
        layered.month_number,
        {{ divide_money(
            '100 * ('
            ~ 'weighed.current_weight * parameters.social_score_maximum'
            ~ ' * weighed.current_place * weighed.potential_places'
            ~ ' + weighed.potential_weight * parameters.social_score_maximum'
            ~ ' * weighed.potential_place * weighed.current_places'
            ~ ' + weighed.social_weight * layered.social_score'
            ~ ' * weighed.current_places * weighed.potential_places)',
            '(weighed.current_weight + weighed.potential_weight'
            ~ ' + weighed.social_weight) * parameters.social_score_maximum'
            ~ ' * weighed.current_places * weighed.potential_places'
        ) }} as value_score
    from layered
    inner join weighed
        on
            layered.customer_id = weighed.customer_id
            and layered.month_number = weighed.month_number
    cross join parameters

),

final as (

    select
        layered.customer_id,
        layered.month,
        layered.month_number,
        layered.is_published,
        layered.revenue,
        layered.cost_to_serve,
        layered.relationship_cost,
        layered.bad_debt,
        layered.margin,
        layered.current_value,
        layered.potential_value,
        layered.headroom_value,
        layered.social_score,
        scored.value_score,
        nullif(
            concat_ws(
                ',',
                case when not layered.has_service_costs then 'costs' end,
                case when not layered.has_contacts then 'contacts' end,
                case when not layered.has_campaigns then 'campaigns' end,
                case when not layered.has_complaints then 'complaints' end,
                case when not layered.has_payments then 'payments' end,
                case when layered.potential_value is null then 'potential' end,
                case
                    when layered.is_ranked and layered.headroom_value is null
                        then 'headroom'
                end
            ),
            ''
        ) as value_coverage
    from layered
    left join scored
        on
            layered.customer_id = scored.customer_id
            and layered.month_number = scored.month_number

)

select * from final
