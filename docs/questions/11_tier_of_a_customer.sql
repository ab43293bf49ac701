-- Role: Key-account manager
-- Question: Why is this customer in its tier, and what does it lack to the next?
-- Reading: Its last six months. Put the customer's id in place of the inner query,
--   which takes the first of the worklist. `rule_tier` is what the month alone says;
--   `tier_reason` says whether grace or an override kept another. `tierwise explain`
--   prints the whole receipt.

select
    month,
    tier_code,
    rule_tier,
    tier_reason,
    metric,
    metric_value,
    bound_met,
    next_bound,
    gap_to_next
from marts.customer_tier_monthly
where
    customer_id = (
        select customer_id from marts.retention_worklist where rank = 1
    )
    and month in (
        select month
        from marts.dim_month
        where is_closed
        order by month desc
        limit 6
    )
order by month desc
