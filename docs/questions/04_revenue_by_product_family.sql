-- Role: BI analyst
-- Question: Which product families bring the revenue of the closing month?
-- Reading: `UNITEMISED` stands for bills that came without charges, `UNKNOWN` for
--   product codes that no reference table knows; both count, so that the total ties.

select
    products.product_family,
    sum(facts.revenue) as revenue,
    sum(facts.discount) as discount,
    sum(facts.active_subscriptions) as active_subscriptions
from marts.fct_revenue_monthly as facts
inner join marts.dim_product as products
    on facts.product_code = products.product_code
where facts.month = (select max(month) from marts.dim_month where is_closed)
group by products.product_family
order by revenue desc, products.product_family
