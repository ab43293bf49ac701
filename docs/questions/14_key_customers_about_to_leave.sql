-- Role: Retention
-- Question: Which key customers are most likely to leave, and what drives it?
-- Reading: Probability that no subscription is left within three months, with what
--   raises it most. Null reasons: nothing raises it above the average customer's.

select
    risks.customer_id,
    customers.tier_code,
    customers.key_kinds,
    risks.churn_probability,
    risks.reason_1,
    risks.reason_2
from marts.customer_risk_monthly as risks
inner join marts.dim_customer as customers
    on risks.customer_id = customers.customer_id
where
    risks.month = (select max(month) from marts.dim_month where is_closed)
    and customers.segment = 'key'
order by risks.churn_probability desc, risks.customer_id asc
limit 10
