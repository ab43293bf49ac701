-- Role: Complaint desk
-- Question: Do we keep our hours for the tiers that were promised most?
-- Reading: Complaints and faults opened in the last three months. Shares come from
--   sums: never average the shares of the rows.

select
    tier_code,
    sum(opened) as opened,
    sum(resolve_outcomes) as resolve_outcomes,
    sum(resolve_breaches) as resolve_breaches,
    cast(sum(resolve_breaches) as double precision)
    / nullif(sum(resolve_outcomes), 0) as resolve_breach_share
from marts.complaint_service_monthly
where
    month in (
        select month
        from marts.dim_month
        where is_closed
        order by month desc
        limit 3
    )
group by tier_code
order by opened desc, tier_code asc
