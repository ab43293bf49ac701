-- Role: Retention
-- Question: When do contracts end, and what hangs on them?
-- Reading: Contracts that still run or ended so lately that they may be renewed, by
--   the month of their end.

select
    end_month,
    count(*) as contracts,
    sum(monthly_revenue) as monthly_revenue,
    sum(value_at_risk) as value_at_risk
from marts.contract_renewal
where status in ('ended_pending', 'expiring', 'running')
group by end_month
order by end_month
limit 12
