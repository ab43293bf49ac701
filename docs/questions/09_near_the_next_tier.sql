-- Role: Policy owner
-- Question: How many customers are close below the next tier?
-- Reading: At most a tenth of the bound short of it, in the policy's currency. Under a
--   policy that ranks, the bound is a rank or a share, and the gap alone tells.

select
    rule_tier,
    count(*) as customers,
    min(gap_to_next) as smallest_gap,
    max(gap_to_next) as largest_gap
from marts.customer_tier_monthly
where
    month = (select max(month) from marts.dim_month where is_closed)
    and gap_to_next <= next_bound / 10
group by rule_tier
order by customers desc, rule_tier asc
