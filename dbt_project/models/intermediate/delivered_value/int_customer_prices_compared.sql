{{ config(materialized='by_month', month='month_number') }}
with customer_products as (

    select * from {{ ref('int_customer_products_costed') }}
    where {{ is_needed('month_number') }}

),

-- What nobody knows has no price: the built-in products are left out.
products as (

    select * from {{ ref('products') }}

),

-- The price of a family is what a subscription of it is charged each month, after
-- discounts; a month without a recurring charge has none.
family_prices as (

    select
        customer_products.customer_id,
        customer_products.month_number,
        products.product_family,
        sum(customer_products.served_subscriptions) as subscriptions,
        {{ sum_money('customer_products.recurring_revenue') }} as recurring_revenue,
        {{ sum_money(
            'customer_products.recurring_revenue + customer_products.discount'
        ) }} as charged_amount
    from customer_products
    inner join products
        on customer_products.product_code = products.product_code
    where customer_products.served_subscriptions > 0
    group by
        customer_products.customer_id,
        customer_products.month_number,
        products.product_family

),

priced as (

    select
        customer_id,
        month_number,
        product_family,
        subscriptions,
        charged_amount,
        {{ mean_money('charged_amount', 'subscriptions') }} as price
    from family_prices
    where recurring_revenue > 0

),

medians as (

    select
        month_number,
        product_family,
        {{ median_money('price') }} as median_price
    from priced
    group by month_number, product_family

),

customer_months as (

    select
        priced.customer_id,
        priced.month_number,
        {{ sum_money('priced.charged_amount') }} as charged_amount,
        {{ sum_money('medians.median_price * priced.subscriptions') }}
            as median_amount,
        sum(priced.subscriptions) as subscriptions
    from priced
    inner join medians
        on
            priced.month_number = medians.month_number
            and priced.product_family = medians.product_family
    group by priced.customer_id, priced.month_number

),

-- What its subscriptions cost on average, and what they would cost at median prices.
final as (

    select
        customer_id,
        month_number,
        {{ mean_money('charged_amount', 'subscriptions') }} as mean_price,
        {{ mean_money('median_amount', 'subscriptions') }} as mean_median_price
    from customer_months

)

select * from final
