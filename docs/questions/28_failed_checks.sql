-- Role: Auditor
-- Question: Which checks failed in this publication, and what hangs on them?
-- Reading: A failure that is critical stops a run, so that none is here unless a
--   person accepted it; `accepted_by` and `accepted_reason` would say who and why.

select
    layer,
    dataset,
    severity,
    expectation,
    unexpected,
    affected_customers,
    affected_revenue
from audit.validation
where
    not success
    and run_id = (select max(run_id) from audit.run)
order by severity, layer, dataset, expectation
