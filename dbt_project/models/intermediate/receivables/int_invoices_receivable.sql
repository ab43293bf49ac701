{{ config(materialized='view') }}

with invoices as (

    select * from {{ ref('int_invoices_counted') }}

),

feeds_covered as (

    select * from {{ ref('int_feeds_covered') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- Nobody knows what was paid before the first payments: what fell due then stays out.
final as (

    select
        invoices.invoice_id,
        invoices.account_id,
        invoices.customer_id,
        invoices.payment_mode,
        invoices.currency,
        invoices.billing_month_number,
        {{ month_number('invoices.issued_on') }} as issued_month_number,
        {{ month_number('invoices.due_on') }} as due_month_number,
        invoices.total_amount,
        invoices.billed_amount,
        invoices.billing_month,
        invoices.issued_on,
        invoices.due_on
    from invoices
    inner join feeds_covered
        on
            feeds_covered.feed = 'payments'
            and invoices.due_on >= feeds_covered.first_month
    inner join settings
        on invoices.issued_on <= {{ month_end('settings.closing_month') }}

)

select * from final
