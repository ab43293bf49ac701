-- Role: Finance
-- Question: What is left of the closing month's revenue after its costs?
-- Reading: Costs that no feed delivered are null and count as none; `value_coverage`
--   of the table names them customer by customer.

select
    sum(revenue) as revenue,
    sum(cost_to_serve) as cost_to_serve,
    sum(relationship_cost) as relationship_cost,
    sum(bad_debt) as bad_debt,
    sum(margin) as margin
from marts.customer_value_monthly
where month = (select max(month) from marts.dim_month where is_closed)
