{{ config(materialized='by_month', tells_churn=true) }}
with layers as (

    select * from {{ ref('int_customer_layers_measured') }}
    where
        is_published
        and {{ is_needed('month_number') }}

),

scores as (

    select * from {{ ref('int_customer_value_layered') }}
    where {{ is_needed('month_number') }}

),

final as (

    select
        layers.customer_id,
        layers.month,
        layers.revenue,
        layers.cost_to_serve,
        layers.relationship_cost,
        layers.bad_debt,
        layers.margin,
        layers.current_value,
        scores.potential_value,
        layers.headroom_value,
        layers.social_score,
        scores.value_score,
        nullif(
            concat_ws(
                ',',
                layers.unmeasured_costs,
                case when scores.potential_value is null then 'potential' end,
                case
                    when layers.is_ranked and layers.headroom_value is null
                        then 'headroom'
                end
            ),
            ''
        ) as value_coverage
    from layers
    inner join scores
        on
            layers.customer_id = scores.customer_id
            and layers.month_number = scores.month_number

)

select * from final
