with invoices as (

    select * from {{ ref('int_invoices_unsettled') }}

),

payments as (

    select * from {{ ref('int_payments_unsettled') }}

),

-- Within one day bills are taken in order of their id, as the settlement does.
invoices_compared as (

    select
        account_id,
        currency,
        total_amount,
        invoice_id,
        due_on,
        lag(due_on) over (
            partition by account_id, currency order by issued_on, invoice_id
        ) as previous_due_on,
        lag(invoice_id) over (
            partition by account_id, currency order by issued_on, invoice_id
        ) as previous_invoice_id
    from invoices

),

accounts_billed as (

    select
        account_id,
        currency,
        max(case when total_amount < 0 then 1 else 0 end) as has_negative_invoice,
        max(
            case
                when due_on < previous_due_on then 1
                when due_on = previous_due_on and invoice_id < previous_invoice_id
                    then 1
                else 0
            end
        ) as is_due_out_of_order
    from invoices_compared
    group by account_id, currency

),

invoices_paid as (

    select
        account_id,
        currency,
        invoice_id,
        sum(amount) as paid_amount,
        max(case when amount < 0 then 1 else 0 end) as has_negative_payment
    from payments
    group by account_id, currency, invoice_id

),

accounts_paid as (

    select
        invoices_paid.account_id,
        invoices_paid.currency,
        max(invoices_paid.has_negative_payment) as has_negative_payment,
        max(
            case when invoices_paid.invoice_id is null then 1 else 0 end
        ) as has_unnamed,
        max(
            case when invoices_paid.invoice_id is null then 0 else 1 end
        ) as has_named,
        max(
            case
                when invoices_paid.paid_amount > invoices.total_amount then 1
                else 0
            end
        ) as is_overpaid
    from invoices_paid
    left join invoices on invoices_paid.invoice_id = invoices.invoice_id
    group by invoices_paid.account_id, invoices_paid.currency

),

final as (

    select
        coalesce(accounts_paid.account_id, accounts_billed.account_id) as account_id,
        coalesce(accounts_paid.currency, accounts_billed.currency) as currency,
        case
            when
                coalesce(accounts_billed.has_negative_invoice, 0) = 0
                and coalesce(accounts_paid.has_negative_payment, 0) = 0
                and coalesce(accounts_paid.has_unnamed, 0) = 0
                and coalesce(accounts_paid.is_overpaid, 0) = 0
                then 'named'
            when
                coalesce(accounts_billed.is_due_out_of_order, 0) = 0
                and coalesce(accounts_paid.has_negative_payment, 0) = 0
                and coalesce(accounts_paid.has_named, 0) = 0
                then 'queued'
            else 'sequential'
        end as settlement_method
    from accounts_billed
    full outer join accounts_paid
        on
            accounts_billed.account_id = accounts_paid.account_id
            and accounts_billed.currency = accounts_paid.currency

)

select * from final
