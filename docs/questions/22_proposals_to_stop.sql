-- Role: Finance
-- Question: Which open proposals are below cost or over the discount limit?
-- Reading: Present value at 10 % a year over the term. A proposal below cost never
--   pays back unless one-off money carries it.

select
    proposal_id,
    customer_id,
    npv,
    margin_share,
    discount_rate,
    discount_limit,
    over_discount_limit,
    below_cost
from marts.proposal_economics
where
    status = 'open'
    and (below_cost or over_discount_limit)
order by npv, proposal_id
limit 10
