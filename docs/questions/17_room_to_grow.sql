-- Role: Marketing
-- Question: Which customers could buy more, and what would it bring?
-- Reading: `headroom_value` is the margin a year that the product families a customer
--   lacks bring its peers; null where it has too few peers to tell.

with candidates as (
    select
        customer_id,
        current_value,
        headroom_value
    from marts.customer_value_monthly
    where
        month = (select max(month) from marts.dim_month where is_closed)
        and headroom_value > 0
    order by headroom_value desc, customer_id asc
    limit 10
)

select
    candidates.customer_id,
    customers.legal_form,
    customers.tier_code,
    candidates.current_value,
    candidates.headroom_value
from candidates
inner join marts.dim_customer as customers
    on candidates.customer_id = customers.customer_id
order by candidates.headroom_value desc, candidates.customer_id asc
