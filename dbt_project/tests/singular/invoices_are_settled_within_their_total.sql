-- Invoices that the settlement paid more than their total, or less than nothing, at the
-- closing month or at the end of any month before it.
select
    invoice_id,
    outstanding_amount,
    total_amount
from {{ ref('int_invoices_settled') }}
where
    outstanding_amount < 0
    or outstanding_amount > greatest(total_amount, 0)
    or (total_amount <= 0 and settled_amount <> 0)
union all
select
    balances.invoice_id,
    balances.outstanding_amount,
    invoices.total_amount
from {{ ref('int_invoice_balances_ranged') }} as balances
inner join {{ ref('int_invoices_settled') }} as invoices
    on balances.invoice_id = invoices.invoice_id
where
    balances.outstanding_amount < 0
    or balances.outstanding_amount > invoices.total_amount
