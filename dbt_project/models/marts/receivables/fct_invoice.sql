{#- An open bill is told as of the closing month, and so anew by every run. -#}
{{ config(
    materialized='by_month',
    month="case
        when outstanding_amount > 0 then date '9999-01-01'
        else greatest(billing_month, issued_on, settled_on)
    end",
    key='invoice_id',
    in_parts=false,
) }}
with invoices_settled as (

    select * from {{ ref('int_invoices_settled') }}

),

invoices as (

    select * from {{ ref('int_invoices_counted') }}
    where
        {{ is_replaced(
            is_needed('billing_month') ~ ' or ' ~ is_needed('issued_on')
            ~ ' or invoice_id in (select invoice_id from invoices_settled'
            ~ ' where outstanding_amount > 0 or ' ~ is_needed('last_moved_on') ~ ')'
        ) }}

),

aging_buckets as (

    select * from {{ ref('aging_buckets') }}

),

exchange_rates as (

    select * from {{ ref('int_exchange_rates_completed') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- Bills that take no part in the settlement keep null: nobody knows, so nobody owes.
aged as (

    select
        invoices.invoice_id,
        invoices.account_id,
        invoices.customer_id,
        invoices.payment_mode,
        invoices.category,
        invoices.currency,
        invoices.total_amount,
        invoices_settled.settled_amount,
        invoices_settled.outstanding_amount,
        case
            when invoices_settled.outstanding_amount > 0
                then {{ days_between(
                    'invoices.due_on', month_end('settings.closing_month')
                ) }}
            when invoices_settled.settled_on is not null
                then {{ days_between(
                    'invoices.due_on', 'invoices_settled.settled_on'
                ) }}
            when invoices_settled.invoice_id is not null then 0
        end as days_after_due,
        invoices.billing_month,
        invoices.issued_on,
        invoices.due_on,
        invoices_settled.settled_on,
        settings.closing_month,
        settings.reporting_currency
    from invoices
    cross join settings
    left join invoices_settled on invoices.invoice_id = invoices_settled.invoice_id

),

final as (

    select
        aged.invoice_id,
        aged.account_id,
        aged.customer_id,
        aged.payment_mode,
        aged.category,
        aged.currency,
        case when aged.outstanding_amount > 0 then aging_buckets.bucket end
            as aging_bucket,
        case
            when aged.days_after_due > 0 then aged.days_after_due
            when aged.days_after_due <= 0 then 0
        end as days_past_due,
        cast(aged.total_amount as decimal(18, 4)) as total_amount,
        cast(aged.settled_amount as decimal(18, 4)) as paid_amount,
        cast(aged.outstanding_amount as decimal(18, 4)) as outstanding_amount,
        case
            when aged.outstanding_amount = 0 then cast(0 as decimal(18, 4))
            else {{ convert_money(
                'aged.outstanding_amount',
                'aged.currency',
                'exchange_rates.cny_per_unit',
                'aged.reporting_currency',
                'exchange_rates.reporting_cny_per_unit',
            ) }}
        end as outstanding_reporting,
        aged.billing_month,
        aged.issued_on,
        aged.due_on,
        aged.settled_on
    from aged
    left join aging_buckets
        on
            aged.days_after_due >= aging_buckets.from_days
            and (
                aging_buckets.to_days is null
                or aged.days_after_due <= aging_buckets.to_days
            )
    left join exchange_rates
        on
            aged.closing_month = exchange_rates.month
            and aged.currency = exchange_rates.currency

)

select * from final
