with layers as (

    select * from {{ ref('int_customer_value_layered') }}
    where is_published

),

final as (

    select
        customer_id,
        month,
        revenue,
        cost_to_serve,
        relationship_cost,
        bad_debt,
        margin,
        current_value,
        potential_value,
        headroom_value,
        social_score,
        value_score,
        value_coverage
    from layers

)

select * from final
