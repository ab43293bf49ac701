-- Role: Region manager
-- Question: How do the local networks compare?
-- Reading: Every local network in the closing month; filter on `province_code` for
--   your own. `resolve_breach_share` is null where no outcome is known yet.

select
    regions.province_code,
    regions.region_name,
    figures.customers,
    figures.revenue,
    figures.arpu,
    figures.customer_churn_rate,
    figures.complaints_per_1000,
    figures.resolve_breach_share,
    figures.overdue_amount
from marts.region_summary_monthly as figures
inner join marts.dim_region as regions
    on figures.region_code = regions.region_code
where
    figures.month = (select max(month) from marts.dim_month where is_closed)
    and figures.region_level = 'local'
order by
    regions.province_code asc nulls last,
    figures.revenue desc,
    regions.region_name asc
