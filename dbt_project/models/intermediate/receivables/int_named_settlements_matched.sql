{{ config(materialized='view') }}

with payments as (

    select * from {{ ref('int_payments_unsettled') }}

),

accounts as (

    select * from {{ ref('int_receivable_accounts_classified') }}
    where settlement_method = 'named'

),

invoices as (

    select * from {{ ref('int_invoices_unsettled') }}

),

payments_placed as (

    select
        payments.payment_id,
        payments.account_id,
        payments.currency,
        payments.amount,
        payments.paid_on,
        invoices.invoice_id,
        invoices.issued_on,
        coalesce(payments.paid_on < invoices.issued_on, true) as is_held
    from payments
    inner join accounts
        on
            payments.account_id = accounts.account_id
            and payments.currency = accounts.currency
    left join invoices on payments.invoice_id = invoices.invoice_id

),

movements as (

    select
        account_id,
        currency,
        case when not is_held then invoice_id end as invoice_id,
        payment_id as source_id,
        paid_on as settled_on,
        amount
    from payments_placed
    union all
    -- Once the bill is issued, what was held for it leaves the credit ...
    select
        account_id,
        currency,
        cast(null as varchar) as invoice_id,
        payment_id as source_id,
        issued_on as settled_on,
        -amount as amount
    from payments_placed
    where is_held and invoice_id is not null
    union all
    -- ... and settles it.
    select
        account_id,
        currency,
        invoice_id,
        payment_id as source_id,
        issued_on as settled_on,
        amount
    from payments_placed
    where is_held and invoice_id is not null

)

select
    account_id,
    currency,
    invoice_id,
    'payment' as source_kind,
    source_id,
    amount,
    settled_on
from movements
