{{ config(materialized='by_month', tells_late=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where
        is_published
        and {{ is_needed('month_number') }}

),

scored as (

    select * from {{ ref('int_customer_stars_scored') }}
    where {{ is_needed('month_number') }}

),

held as (

    select * from {{ ref('int_customer_stars_held') }}
    where {{ is_needed('month_number') }}

),

final as (

    select
        spine.customer_id,
        spine.month,
        scored.consumption_points,
        scored.credit_points,
        scored.satisfaction_points,
        scored.loyalty_points,
        scored.consumption_label,
        scored.credit_label,
        scored.satisfaction_label,
        scored.loyalty_label,
        scored.star_points,
        held.stars,
        {{ month_of_number('held.valid_to_number') }} as star_valid_to,
        scored.star_coverage
    from spine
    left join scored
        on
            spine.customer_id = scored.customer_id
            and spine.month_number = scored.month_number
    left join held
        on
            spine.customer_id = held.customer_id
            and spine.month_number = held.month_number

)

select * from final
