{{ config(materialized='by_month', tells_late=true, in_parts=false) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number', parameter_value('current_value_months')) }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}
    where {{ is_needed('month_number', parameter_value('current_value_months')) }}

),

customer_products as (

    select * from {{ ref('int_customer_products_costed') }}
    where {{ is_needed('month_number', parameter_value('current_value_months')) }}

),

relationship_costs as (

    select * from {{ ref('int_customer_relationship_costs_summed') }}
    where {{ is_needed('month_number', parameter_value('current_value_months')) }}

),

bad_debts as (

    select * from {{ ref('int_customer_bad_debts_counted') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

parameters as (

    {{ named_parameters(['current_value_months']) }}

),

months_covered as (

    select
        months.month_number,
        max(case when feeds.feed = 'service_costs' then 1 else 0 end) = 1
            as has_service_costs,
        max(case when feeds.feed = 'contacts' then 1 else 0 end) = 1
            as has_contacts,
        max(case when feeds.feed = 'campaigns' then 1 else 0 end) = 1
            as has_campaigns,
        max(case when feeds.feed = 'complaints' then 1 else 0 end) = 1
            as has_complaints,
        max(case when feeds.feed = 'payments' then 1 else 0 end) = 1
            as has_payments
    from {{ ref('int_months_numbered') }} as months
    left join feeds
        on
            months.month_number >= feeds.first_month_number
            and months.month_number <= feeds.last_month_number
    group by months.month_number

),

costs_to_serve as (

    select
        customer_id,
        month_number,
        {{ sum_money('cost_to_serve') }} as cost_to_serve,
        min(case when is_cost_measured then 1 else 0 end) = 1 as is_cost_measured
    from customer_products
    group by customer_id, month_number

),

-- What a feed did not cover stays null; what it covered and does not mention is zero.
-- The cost to serve has a default instead, and is marked as not measured.
measured as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        coalesce(revenue.revenue, 0) as revenue,
        coalesce(costs_to_serve.cost_to_serve, 0) as cost_to_serve,
        case
            when months_covered.has_contacts or months_covered.has_complaints
                then coalesce(
                    relationship_costs.contact_cost
                    + relationship_costs.campaign_cost
                    + relationship_costs.compensation,
                    0
                )
        end as relationship_cost,
        case
            when months_covered.has_payments then coalesce(bad_debts.bad_debt, 0)
        end as bad_debt,
        months_covered.has_service_costs
        and coalesce(costs_to_serve.is_cost_measured, true) as has_service_costs,
        months_covered.has_contacts,
        months_covered.has_campaigns,
        months_covered.has_complaints,
        months_covered.has_payments
    from spine
    inner join months_covered on spine.month_number = months_covered.month_number
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    left join costs_to_serve
        on
            spine.customer_id = costs_to_serve.customer_id
            and spine.month_number = costs_to_serve.month_number
    left join relationship_costs
        on
            spine.customer_id = relationship_costs.customer_id
            and spine.month_number = relationship_costs.month_number
    left join bad_debts
        on
            spine.customer_id = bad_debts.customer_id
            and spine.month_number = bad_debts.month_number

),

margins as (

    select
        measured.*,
        cast(
            measured.revenue
            - measured.cost_to_serve
            - coalesce(measured.relationship_cost, 0)
            - coalesce(measured.bad_debt, 0)
            as decimal(18, 4)
        ) as margin
    from measured

),

accumulated as (

    {{ margins_summed_over('parameters', 'current_value_months') }}

),

final as (

    select
        margins.customer_id,
        margins.month,
        margins.month_number,
        margins.revenue,
        margins.cost_to_serve,
        cast(margins.relationship_cost as decimal(18, 4)) as relationship_cost,
        margins.bad_debt,
        margins.margin,
        accumulated.window_margin as current_value,
        margins.has_service_costs,
        margins.has_contacts,
        margins.has_campaigns,
        margins.has_complaints,
        margins.has_payments
    from margins
    inner join accumulated
        on
            margins.customer_id = accumulated.customer_id
            and margins.month_number = accumulated.month_number
    where accumulated.is_month

)

select * from final
