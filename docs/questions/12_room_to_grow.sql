-- Role: Key-account manager
-- Question: Which of my customers could buy more?
-- Reading: `headroom_value` is the margin a year that the product families a customer
--   lacks bring its peers. Put your own id in place of the inner query.

select
    customers.customer_id,
    customers.customer_name_masked,
    customers.tier_code,
    worth.current_value,
    worth.headroom_value
from marts.dim_customer as customers
inner join marts.customer_value_monthly as worth
    on customers.customer_id = worth.customer_id
where
    worth.month = (select max(month) from marts.dim_month where is_closed)
    and worth.headroom_value is not null
    and customers.manager_id = (
        select manager_id
        from marts.retention_worklist
        where manager_id is not null
        order by rank
        limit 1
    )
order by worth.headroom_value desc, customers.customer_id
limit 10
