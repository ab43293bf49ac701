{{ config(materialized='by_month', month='billing_month', in_parts=false) }}
with invoices as (

    select * from {{ ref('int_invoices_deduplicated') }}
    where {{ is_needed('billing_month') }}

),

accounts as (

    select * from {{ ref('int_accounts_latest') }}

),

account_owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

exchange_rates as (

    select * from {{ ref('int_exchange_rates_completed') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- A bill stays with whoever owned its account at the end of its billing month.
counted as (

    select
        invoices.invoice_id,
        invoices.account_id,
        account_owners.customer_id,
        accounts.payment_mode,
        invoices.category,
        invoices.currency,
        months.month_number as billing_month_number,
        invoices.total_amount,
        invoices.tax_amount,
        {{ convert_money(
            'invoices.total_amount',
            'invoices.currency',
            'exchange_rates.cny_per_unit',
            'settings.reporting_currency',
            'exchange_rates.reporting_cny_per_unit',
        ) }} as billed_amount,
        invoices.billing_month,
        invoices.issued_on,
        invoices.due_on
    from invoices
    inner join months on invoices.billing_month = months.month
    inner join accounts on invoices.account_id = accounts.account_id
    inner join account_owners
        on
            invoices.account_id = account_owners.account_id
            and months.month_number >= account_owners.month_from_number
            and months.month_number < account_owners.month_to_number
    cross join settings
    left join exchange_rates
        on
            invoices.billing_month = exchange_rates.month
            and invoices.currency = exchange_rates.currency
    where invoices.category in ({{ counted_categories() }})

)

select * from counted
