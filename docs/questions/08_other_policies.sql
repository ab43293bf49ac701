-- Role: Policy owner
-- Question: How would the other policies divide the customers?
-- Reading: The highest tier of every policy of the pack, in the closing month, without
--   overrides, so that like is compared with like. `tierwise simulate` replays a policy
--   of your own before it is adopted.

select
    policy_id,
    tier_code,
    customers,
    revenue_share,
    bound_metric_min,
    metric_currency,
    is_in_force
from marts.policy_comparison
where
    tier_rank = 1
    and month = (select max(month) from marts.dim_month where is_closed)
order by revenue_share desc, policy_id asc
