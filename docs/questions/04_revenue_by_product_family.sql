-- Role: BI analyst
-- Question: Which product families bring the revenue of the closing month?
-- Reading: `UNITEMISED` stands for bills that came without charges, `UNKNOWN` for
--   product codes that no reference table knows; both count, so that the total ties.

with by_product as (
    select
        product_code,
        sum(revenue) as revenue,
        sum(active_subscriptions) as active_subscriptions
    from marts.fct_revenue_monthly
    where month = (select max(month) from marts.dim_month where is_closed)
    group by product_code
)

select
    products.product_family,
    sum(by_product.revenue) as revenue,
    sum(by_product.active_subscriptions) as active_subscriptions
from by_product
inner join marts.dim_product as products
    on by_product.product_code = products.product_code
group by products.product_family
order by revenue desc, products.product_family asc
