-- Payments as delivered, by the currency of their account, and the part that settles
-- nothing because the bill it names was due before anybody knew what was paid.
with payments as (

    select * from {{ ref('int_payments_deduplicated') }}

),

accounts as (

    select * from {{ ref('int_accounts_latest') }}

),

invoices as (

    select * from {{ ref('int_invoices_deduplicated') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

payments_begun as (

    select {{ month_of('min(paid_on)') }} as first_month
    from payments

),

paid as (

    select
        accounts.currency,
        payments.amount,
        case
            when invoices.due_on < payments_begun.first_month then payments.amount
            else 0
        end as amount_for_earlier_bills
    from payments
    cross join payments_begun
    inner join settings
        on payments.paid_on <= {{ month_end('settings.closing_month') }}
    inner join accounts on payments.account_id = accounts.account_id
    left join invoices
        on
            payments.invoice_id = invoices.invoice_id
            and payments.account_id = invoices.account_id
            and accounts.currency = invoices.currency
            and invoices.category in ({{ counted_categories() }})

),

final as (

    select
        currency,
        {{ sum_money('amount') }} as paid_amount,
        {{ sum_money('amount_for_earlier_bills') }} as paid_for_earlier_bills
    from paid
    group by currency

)

select * from final
