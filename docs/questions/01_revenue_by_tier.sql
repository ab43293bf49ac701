-- Role: BI analyst
-- Question: Which tiers bring the revenue of the closing month?
-- Reading: Everybody who is in a tier came from one, staying included, so that the
--   moves add up to the tiers. `none` holds customers who have left, some with a last
--   bill.

select
    tier_to as tier_code,
    sum(customers) as customers,
    sum(revenue) as revenue,
    sum(revenue) / sum(sum(revenue)) over () as revenue_share
from marts.tier_migration_monthly
where month = (select max(month) from marts.dim_month where is_closed)
group by tier_to
order by revenue desc, tier_to asc
