-- Role: Retention
-- Question: Which valuable customers are most likely to leave, and what drives it?
-- Reading: Listed customers of the service classes from gold up, by the probability
--   that no subscription is left within three months. `reasons` says why they are
--   listed, the others what raises the probability most; null where nothing does.

with listed as (
    select
        customer_id,
        tier_code,
        churn_probability,
        value_at_risk,
        reasons
    from marts.retention_worklist
    where
        service_class in ('diamond', 'platinum', 'gold')
        and churn_probability is not null
    order by churn_probability desc, customer_id asc
    limit 10
)

select
    listed.customer_id,
    listed.tier_code,
    listed.churn_probability,
    listed.value_at_risk,
    listed.reasons,
    risks.reason_1,
    risks.reason_2
from listed
inner join marts.customer_risk_monthly as risks
    on listed.customer_id = risks.customer_id
where risks.month = (select max(month) from marts.dim_month where is_closed)
order by listed.churn_probability desc, listed.customer_id asc
