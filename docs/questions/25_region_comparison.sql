-- Role: Region manager
-- Question: How do the local networks compare?
-- Reading: Every local network in the closing month; filter on `province_code` for
--   your own. `resolve_breach_share` is null where no outcome is known yet.

select
    regions.province_code,
    regions.region_name,
    summary.customers,
    summary.revenue,
    summary.arpu,
    summary.customer_churn_rate,
    summary.complaints_per_1000,
    summary.resolve_breach_share,
    summary.overdue_amount
from marts.region_summary_monthly as summary
inner join marts.dim_region as regions
    on summary.region_code = regions.region_code
where
    summary.month = (select max(month) from marts.dim_month where is_closed)
    and summary.region_level = 'local'
order by regions.province_code nulls last, summary.revenue desc, regions.region_name
