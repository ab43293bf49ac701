{{ config(materialized='by_month', tells_churn=true) }}
with potentials as (

    select * from {{ ref('int_customer_potentials_valued') }}
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

-- Ranks among the ranked customers of the month; where potential value is not measured
-- the nulls stand behind all who have one and disturb no rank.
ranked as (

    select
        customer_id,
        month,
        month_number,
        margin,
        potential_value,
        social_score,
        current_place,
        current_places,
        is_ranked,
        potential_value is not null as has_potential,
        rank() over (
            partition by month_number, is_ranked
            order by potential_value nulls last
        ) as potential_rank,
        count(potential_value) over (partition by month_number, is_ranked)
            as potential_count
    from potentials

),

-- Percentile rank = place / places; the only customer of a month stands at the top.
placed as (

    select
        ranked.customer_id,
        ranked.month,
        ranked.month_number,
        ranked.margin,
        ranked.potential_value,
        ranked.is_ranked,
        ranked.current_place,
        ranked.current_places,
        case
            when not ranked.has_potential then 0
            when ranked.potential_count = 1 then 1
            else ranked.potential_rank - 1
        end as potential_place,
        greatest(ranked.potential_count - 1, 1) as potential_places,
        ranked.social_score,
        parameters.social_score_maximum as social_places,
        weights.current_weight,
        case when ranked.has_potential then weights.potential_weight else 0 end
            as potential_weight,
        weights.social_weight
    from ranked
    cross join weights
    cross join parameters

),

-- From 80 000 customers on two places and a weight multiply to more than 18 digits.
final as (

    select
        customer_id,
        month,
        month_number,
        margin,
        potential_value,
        case
            when is_ranked
                then {{ divide_money(
                    weighted_points('decimal(38, 0)', 'decimal(38, 4)'),
                    weighted_places('decimal(38, 0)'),
                    quotient='(' ~ weighted_points('double', 'double')
                    ~ ' / ' ~ weighted_places('double') ~ ')'
                ) }}
        end as value_score
    from placed

)

select * from final
