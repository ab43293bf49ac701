-- Role: BI analyst
-- Question: How many customers leave each month, and how much revenue goes with them?
-- Reading: Of those active at the end of the month before. Revenue churn weighs each
--   with its mean revenue of three months: below the customer rate, the small ones
--   leave.

select
    month,
    customers_before,
    customers_left,
    customer_churn_rate,
    revenue_churn_rate,
    retention_rate
from marts.region_summary_monthly
where region_level = 'group'
order by month desc
limit 12
