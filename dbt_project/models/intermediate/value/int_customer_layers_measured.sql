{{ config(materialized='by_month', tells_late=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

margins as (

    select * from {{ ref('int_customer_margins_measured') }}
    where {{ is_needed('month_number') }}

),

prospects as (

    select * from {{ ref('int_customer_prospects_measured') }}
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

-- Only what is ranked, and nothing else of the layers, goes through the sort.
measured as (

    select
        spine.customer_id,
        spine.month_number,
        margins.current_value
    from spine
    inner join margins
        on
            spine.customer_id = margins.customer_id
            and spine.month_number = margins.month_number
    where spine.is_ranked

),

ranked as (

    select
        customer_id,
        month_number,
        rank() over (partition by month_number order by current_value)
            as current_rank,
        count(*) over (partition by month_number) as current_count
    from measured

),

-- Percentile rank = place / places; the only customer of a month stands at the top.
placed as (

    select
        customer_id,
        month_number,
        case when current_count = 1 then 1 else current_rank - 1 end as current_place,
        greatest(current_count - 1, 1) as current_places
    from ranked

),

final as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        margins.revenue,
        margins.cost_to_serve,
        margins.relationship_cost,
        margins.bad_debt,
        margins.margin,
        margins.current_value,
        prospects.mean_margin,
        prospects.monthly_trend,
        headrooms.headroom_value,
        social_scores.social_score,
        placed.current_place,
        placed.current_places,
        nullif(
            concat_ws(
                ',',
                case when not margins.has_service_costs then 'costs' end,
                case when not margins.has_contacts then 'contacts' end,
                case when not margins.has_campaigns then 'campaigns' end,
                case when not margins.has_complaints then 'complaints' end,
                case when not margins.has_payments then 'payments' end
            ),
            ''
        ) as unmeasured_costs,
        spine.is_ranked,
        spine.is_published
    from spine
    inner join margins
        on
            spine.customer_id = margins.customer_id
            and spine.month_number = margins.month_number
    inner join prospects
        on
            spine.customer_id = prospects.customer_id
            and spine.month_number = prospects.month_number
    inner join social_scores
        on
            spine.customer_id = social_scores.customer_id
            and spine.month_number = social_scores.month_number
    left join headrooms
        on
            spine.customer_id = headrooms.customer_id
            and spine.month_number = headrooms.month_number
    left join placed
        on
            spine.customer_id = placed.customer_id
            and spine.month_number = placed.month_number

)

select * from final
