-- Role: Marketing
-- Question: Who must not be contacted, and why?
-- Reading: Listed customers without consent, or whose contact budget on the
--   recommended channel is used up (避免过度打扰).

select
    contact_blocked_by,
    recommended_channel,
    count(*) as customers,
    sum(value_at_risk) as value_at_risk
from marts.retention_worklist
where not contact_allowed
group by contact_blocked_by, recommended_channel
order by customers desc, contact_blocked_by asc, recommended_channel asc
