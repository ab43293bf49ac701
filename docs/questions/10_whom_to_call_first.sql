-- Role: Key-account manager
-- Question: Whom do I call first, why, and with what?
-- Reading: Put your own id in place of the inner query, which takes the manager of the
--   first row. Rows that must not be contacted are left out; `contact_blocked_by` says
--   why.

select
    listed.rank,
    listed.customer_id,
    customers.customer_name_masked,
    listed.tier_code,
    listed.first_reason,
    listed.value_at_risk,
    listed.recommended_action,
    listed.recommended_channel
from marts.retention_worklist as listed
inner join marts.dim_customer as customers
    on listed.customer_id = customers.customer_id
where
    listed.contact_allowed
    and listed.manager_id = (
        select manager_id
        from marts.retention_worklist
        where manager_id is not null
        order by rank
        limit 1
    )
order by listed.rank
limit 10
