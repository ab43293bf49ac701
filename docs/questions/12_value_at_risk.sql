-- Role: Retention
-- Question: How much value is at risk, and why?
-- Reading: By the first reason a customer is listed for. `customers_to_contact` are
--   those whose consent and contact budget allow it now.

select
    first_reason,
    count(*) as customers,
    sum(case when contact_allowed then 1 else 0 end) as customers_to_contact,
    sum(value_at_risk) as value_at_risk
from marts.retention_worklist
group by first_reason
order by value_at_risk desc, first_reason asc
