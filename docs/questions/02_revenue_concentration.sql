-- Role: BI analyst
-- Question: How concentrated is the revenue, and is it growing more so?
-- Reading: The share of the first 1, 5 and 20 % of the customers, greatest first, for
--   the whole group. The table has the same for every region, and for margin, voice and
--   data.

select
    concentration.month,
    concentration.customers,
    concentration.top_1_share,
    concentration.top_5_share,
    concentration.top_20_share,
    concentration.gini,
    concentration.customers_for_80
from marts.revenue_concentration_monthly as concentration
inner join marts.dim_region as regions
    on concentration.region_code = regions.region_code
where
    regions.region_level = 'group'
    and concentration.measure = 'revenue'
order by concentration.month desc
limit 6
