-- Role: Marketing
-- Question: Which campaigns paid off?
-- Reading: Uplift is margin beyond what as many untreated customers of the same tier
--   and network gained; null while the three months after are not over, or where no
--   such group is large enough.

select
    campaign_id,
    campaign_name,
    objective,
    contacted,
    accepted,
    cost,
    uplift_customers,
    uplift_margin,
    roi
from marts.campaign_result
order by roi desc nulls last, campaign_id asc
