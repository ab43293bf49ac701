-- Role: Policy owner
-- Question: Who moved between tiers in the closing month?
-- Reading: Customers and their revenue by the tier they came from and went to; `none`
--   is for new, gone and lapsed ones.

select
    tier_from,
    tier_to,
    customers,
    revenue
from marts.tier_migration_monthly
where
    tier_from <> tier_to
    and month = (select max(month) from marts.dim_month where is_closed)
order by customers desc, tier_from asc, tier_to asc
