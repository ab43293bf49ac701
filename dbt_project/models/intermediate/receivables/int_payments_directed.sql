{{ config(materialized='by_month', month='paid_on', in_parts=false) }}
with payments as (

    select * from {{ ref('int_payments_deduplicated') }}
    where {{ is_needed('paid_on') }}

),

accounts as (

    select * from {{ ref('int_accounts_latest') }}

),

invoices_counted as (

    select * from {{ ref('int_invoices_counted') }}

),

invoices_delivered as (

    select * from {{ ref('int_invoices_deduplicated') }}

),

feeds_covered as (

    select * from {{ ref('int_feeds_covered') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- Money paid ahead for a bill of a month after this run's is held for that bill.
invoices_nameable as (

    select
        invoice_id,
        account_id,
        currency,
        due_on
    from invoices_counted
    union all
    select
        invoices_delivered.invoice_id,
        invoices_delivered.account_id,
        invoices_delivered.currency,
        invoices_delivered.due_on
    from invoices_delivered
    inner join settings
        on invoices_delivered.billing_month > settings.closing_month
    where invoices_delivered.category in ({{ counted_categories() }})

),

final as (

    select
        payments.payment_id,
        payments.account_id,
        invoices_nameable.invoice_id,
        accounts.currency,
        payments.amount,
        payments.paid_on
    from payments
    inner join accounts on payments.account_id = accounts.account_id
    inner join settings
        on payments.paid_on <= {{ month_end('settings.closing_month') }}
    inner join feeds_covered on feeds_covered.feed = 'payments'
    left join invoices_nameable
        on
            payments.invoice_id = invoices_nameable.invoice_id
            and payments.account_id = invoices_nameable.account_id
            and accounts.currency = invoices_nameable.currency
    where
        payments.amount <> 0
        and (
            invoices_nameable.due_on is null
            or invoices_nameable.due_on >= feeds_covered.first_month
        )

)

select * from final
