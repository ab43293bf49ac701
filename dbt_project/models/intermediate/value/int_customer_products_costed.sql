{{ config(materialized='by_month') }}
with subscriptions as (

    select * from {{ ref('int_subscriptions_latest') }}

),

owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}
    where {{ is_needed('month_number') }}

),

charges as (

    select * from {{ ref('int_charges_summed') }}
    where {{ is_needed('month_number') }}

),

spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

products as (

    select * from {{ ref('int_products_completed') }}

),

service_costs as (

    select * from {{ ref('int_service_costs_deduplicated') }}

),

-- Served is active on any day of the month: the month of the last active day counts,
-- and that is the day before the deactivation.
served_subscriptions as (

    select
        owners.customer_id,
        subscriptions.product_code,
        greatest(
            {{ month_number('subscriptions.activated_on') }}, owners.month_from_number
        ) as month_from_number,
        least(
            case
                when subscriptions.deactivated_on is null then {{ open_month_number() }}
                when extract(day from subscriptions.deactivated_on) = 1
                    then {{ month_number('subscriptions.deactivated_on') }}
                else {{ month_number('subscriptions.deactivated_on') }} + 1
            end,
            owners.month_to_number
        ) as month_to_number
    from subscriptions
    inner join owners on subscriptions.account_id = owners.account_id
    where
        subscriptions.deactivated_on is null
        or subscriptions.deactivated_on > subscriptions.activated_on

),

-- Subscriptions served over the same months are spread over them as one.
served_ranges as (

    select
        customer_id,
        product_code,
        month_from_number,
        month_to_number,
        count(*) as served_subscriptions
    from served_subscriptions
    where month_from_number < month_to_number
    group by customer_id, product_code, month_from_number, month_to_number

),

parts as (

    select
        customer_id,
        product_code,
        month_number,
        revenue,
        recurring_revenue,
        discount,
        0 as served_subscriptions
    from charges
    union all
    select
        served_ranges.customer_id,
        served_ranges.product_code,
        months.month_number,
        cast(0 as decimal(18, 4)) as revenue,
        cast(0 as decimal(18, 4)) as recurring_revenue,
        cast(0 as decimal(18, 4)) as discount,
        served_ranges.served_subscriptions
    from served_ranges
    inner join months
        on
            served_ranges.month_from_number <= months.month_number
            and served_ranges.month_to_number > months.month_number

),

customer_products as (

    select
        customer_id,
        product_code,
        month_number,
        {{ sum_money('revenue') }} as revenue,
        {{ sum_money('recurring_revenue') }} as recurring_revenue,
        {{ sum_money('discount') }} as discount,
        cast(sum(served_subscriptions) as integer) as served_subscriptions
    from parts
    group by customer_id, product_code, month_number

),

priced as (

    select
        customer_products.customer_id,
        customer_products.product_code,
        products.product_family,
        spine.month,
        customer_products.month_number,
        customer_products.served_subscriptions,
        customer_products.revenue,
        customer_products.recurring_revenue,
        customer_products.discount,
        greatest(customer_products.revenue, 0) as positive_revenue,
        service_costs.cost_per_subscription,
        service_costs.cost_share_of_revenue,
        cast(1 - products.default_margin_share as decimal(9, 6)) as default_cost_share,
        service_costs.cost_month is not null as is_cost_measured
    from customer_products
    inner join spine
        on
            customer_products.customer_id = spine.customer_id
            and customer_products.month_number = spine.month_number
    inner join products on customer_products.product_code = products.product_code
    left join service_costs
        on
            spine.month = service_costs.cost_month
            and customer_products.product_code = service_costs.product_code
            and spine.region_code = service_costs.region_code

),

final as (

    select
        customer_id,
        product_code,
        product_family,
        month,
        month_number,
        served_subscriptions,
        revenue,
        recurring_revenue,
        discount,
        cast(
            case
                when is_cost_measured
                    then
                        served_subscriptions * cost_per_subscription
                        + positive_revenue * cost_share_of_revenue
                else positive_revenue * default_cost_share
            end as decimal(18, 4)
        ) as cost_to_serve,
        is_cost_measured
    from priced

)

select * from final
