-- Role: Finance
-- Question: Which customers owe most?
-- Reading: Overdue at the end of the closing month, with the credit grade that twelve
--   months of paying earned.

select
    customer_id,
    segment,
    credit_grade,
    outstanding_amount,
    overdue_amount
from marts.customer_monthly
where
    month = (select max(month) from marts.dim_month where is_closed)
    and overdue_amount > 0
order by overdue_amount desc, customer_id asc
limit 10
