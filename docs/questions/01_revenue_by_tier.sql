-- Role: BI analyst
-- Question: Which tiers bring the revenue of the closing month?
-- Reading: The policy in force is compared with the others in the same table;
--   `is_in_force` picks it. Tier `none` holds customers who have left but still had a
--   last bill.

select
    tier_code,
    customers,
    revenue,
    revenue_share
from marts.policy_comparison
where
    is_in_force
    and month = (select max(month) from marts.dim_month where is_closed)
order by tier_rank nulls last
