-- Role: BI analyst
-- Question: What are ARPU and ARPA, month by month?
-- Reading: Revenue per active subscription and per account with one. Never average
--   these over regions: add up revenue and subscriptions, then divide.

select
    month,
    revenue,
    active_subscriptions,
    arpu,
    active_accounts,
    arpa
from marts.region_summary_monthly
where region_level = 'group'
order by month desc
limit 12
