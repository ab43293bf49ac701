-- Role: Finance
-- Question: How much is overdue, and for how long?
-- Reading: Open invoices of postpaid accounts past their due date at the end of the
--   closing month, converted at its rate. A bill of a prepaid account is never overdue.

select
    aging_bucket,
    count(*) as invoices,
    sum(outstanding_reporting) as outstanding
from marts.fct_invoice
where
    outstanding_reporting > 0
    and days_past_due > 0
    and payment_mode = 'postpaid'
group by aging_bucket
order by min(days_past_due)
