-- Role: Auditor
-- Question: Do the totals of source and warehouse tie?
-- Reading: Money and row counts on both sides of each control, with the difference
--   allowed.

select
    control,
    source_total,
    warehouse_total,
    difference,
    tolerance,
    passed
from audit.reconciliation
where run_id = (select max(run_id) from audit.run)
order by passed, control
