-- Role: Auditor
-- Question: What did we believe about this customer's tier, and is it believed still?
-- Reading: Every belief that a run held about the last six months, newest month first.
--   A late bill restates a month: the old belief stays, with an end. Put the customer's
--   id in place of the inner query.

select
    month,
    tier_code,
    metric_value,
    tier_reason,
    dbt_valid_to is null as is_held
from snapshots.customer_tier_snapshot
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
order by month desc, dbt_valid_from desc
