{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['run_id', 'control'],
        on_schema_change='fail',
        pre_hook="{{ remove_rows_of_unrecorded_runs(this) }}",
    )
}}

-- depends_on: {{ ref('stg_control__finished_runs') }}
with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- What was delivered, read from the deduplicated feeds and nothing built on them.
delivered_by_currency as (

    select * from {{ ref('int_delivered_revenue_totalled') }}

),

delivered_payments as (

    select * from {{ ref('int_delivered_payments_totalled') }}

),

delivered_records as (

    select * from {{ ref('int_delivered_records_counted') }}

),

staged_rows as (

    select * from {{ ref('int_staged_rows_counted') }}

),

declared_totals as (

    select * from {{ ref('int_declared_totals_compared') }}

),

dim_customer as (

    select * from {{ ref('dim_customer') }}

),

fct_invoice as (

    select * from {{ ref('fct_invoice') }}

),

fct_complaint as (

    select * from {{ ref('fct_complaint') }}

),

fct_revenue_monthly as (

    select * from {{ ref('fct_revenue_monthly') }}

),

fct_revenue_movement as (

    select * from {{ ref('fct_revenue_movement') }}

),

customer_monthly as (

    select * from {{ ref('customer_monthly') }}

),

region_summary_monthly as (

    select * from {{ ref('region_summary_monthly') }}

),

receivables as (

    select * from {{ ref('int_receivables_balanced') }}

),

loads as (

    select * from {{ ref('stg_control__loads') }}

),

parameters as (

    {{ named_parameters(['charges_tolerance'], 'decimal(18, 4)') }}

),

delivered_revenue as (

    select
        coalesce(sum(invoices), 0) as invoices,
        coalesce(sum(invoices_without_customer), 0) as invoices_without_customer,
        coalesce({{ sum_money('revenue') }}, 0) as revenue,
        coalesce({{ sum_money('revenue_without_customer') }}, 0)
            as revenue_without_customer,
        coalesce({{ sum_money('billed_amount') }}, 0) as billed_amount,
        coalesce({{ sum_money('billed_without_customer') }}, 0)
            as billed_without_customer
    from delivered_by_currency

),

customers_counted as (

    select count(*) as customers from dim_customer

),

invoices_counted as (

    select count(*) as invoices from fct_invoice

),

complaints_counted as (

    select count(*) as complaints from fct_complaint

),

revenue_in_marts as (

    select {{ sum_money('revenue') }} as revenue
    from fct_revenue_monthly

),

revenue_of_closing_month as (

    select {{ sum_money('fct_revenue_monthly.revenue') }} as revenue
    from fct_revenue_monthly
    inner join settings on fct_revenue_monthly.month = settings.closing_month

),

customers_summed as (

    select
        coalesce({{ sum_money('revenue') }}, 0) as revenue,
        coalesce({{ sum_money('billed_amount') }}, 0) as billed_amount
    from customer_monthly

),

group_summed as (

    select coalesce({{ sum_money('revenue') }}, 0) as revenue
    from region_summary_monthly
    where region_level = 'group'

),

movements_summed as (

    select coalesce({{ sum_money('change') }}, 0) as change
    from fct_revenue_movement

),

controls as (

    select
        'revenue_delivered' as control,
        delivered_revenue.revenue as source_total,
        coalesce(revenue_in_marts.revenue, 0)
        + delivered_revenue.revenue_without_customer as warehouse_total
    from delivered_revenue
    cross join revenue_in_marts
    union all
    select
        'billed_delivered' as control,
        delivered_revenue.billed_amount as source_total,
        customers_summed.billed_amount
        + delivered_revenue.billed_without_customer as warehouse_total
    from delivered_revenue
    cross join customers_summed
    union all
    select
        'revenue_by_customer' as control,
        coalesce(revenue_in_marts.revenue, 0) as source_total,
        customers_summed.revenue as warehouse_total
    from revenue_in_marts
    cross join customers_summed
    union all
    select
        'revenue_by_region' as control,
        customers_summed.revenue as source_total,
        group_summed.revenue as warehouse_total
    from customers_summed
    cross join group_summed
    union all
    select
        'revenue_movement' as control,
        coalesce(revenue_of_closing_month.revenue, 0) as source_total,
        movements_summed.change as warehouse_total
    from revenue_of_closing_month
    cross join movements_summed
    union all
    select
        'receivables_' || receivables.currency as control,
        receivables.billed_amount - receivables.paid_amount as source_total,
        receivables.outstanding_amount
        - receivables.credit_on_account as warehouse_total
    from receivables
    inner join settings on receivables.month = settings.closing_month
    union all
    select
        'payments_delivered_' || delivered_payments.currency as control,
        delivered_payments.paid_amount as source_total,
        coalesce(receivables.paid_amount, 0)
        + delivered_payments.paid_for_earlier_bills as warehouse_total
    from delivered_payments
    cross join settings
    left join receivables
        on
            delivered_payments.currency = receivables.currency
            and settings.closing_month = receivables.month
    union all
    select
        'rows_loaded' as control,
        cast(coalesce(sum(rows_in_file), 0) as decimal(18, 4)) as source_total,
        cast(
            coalesce(sum(rows_loaded + rows_quarantined + rows_duplicate), 0)
            as decimal(18, 4)
        ) as warehouse_total
    from loads
    where status = 'loaded'
    union all
    select
        'rows_staged_' || feed as control,
        cast(rows_loaded as decimal(18, 4)) as source_total,
        cast(rows_staged as decimal(18, 4)) as warehouse_total
    from staged_rows
    union all
    select
        'control_totals_' || feed || '_' || measure as control,
        declared_total as source_total,
        staged_total + quarantined_total + duplicate_total as warehouse_total
    from declared_totals
    union all
    select
        'customers_delivered' as control,
        cast(delivered_records.customers as decimal(18, 4)) as source_total,
        cast(customers_counted.customers as decimal(18, 4)) as warehouse_total
    from delivered_records
    cross join customers_counted
    union all
    select
        'invoices_delivered' as control,
        cast(delivered_revenue.invoices as decimal(18, 4)) as source_total,
        cast(
            invoices_counted.invoices + delivered_revenue.invoices_without_customer
            as decimal(18, 4)
        ) as warehouse_total
    from delivered_revenue
    cross join invoices_counted
    union all
    select
        'complaints_delivered' as control,
        cast(delivered_records.complaints as decimal(18, 4)) as source_total,
        cast(
            complaints_counted.complaints
            + delivered_records.complaints_without_customer
            + delivered_records.complaints_of_later_months
            as decimal(18, 4)
        ) as warehouse_total
    from delivered_records
    cross join complaints_counted

),

-- Two things the operator delivered: what is billed, and what it is billed for. A bill
-- may differ by what the rounding of its charges leaves.
delivery_controls as (

    select
        'charges_against_headers_' || delivered_by_currency.currency as control,
        delivered_by_currency.itemised_amount as source_total,
        delivered_by_currency.charged_amount as warehouse_total,
        delivered_by_currency.itemised_invoices * parameters.charges_tolerance
            as tolerance
    from delivered_by_currency
    cross join parameters
    where delivered_by_currency.itemised_invoices > 0

),

compared as (

    select
        control,
        cast(source_total as decimal(18, 4)) as source_total,
        cast(warehouse_total as decimal(18, 4)) as warehouse_total,
        cast(0 as decimal(18, 4)) as tolerance
    from controls
    union all
    select
        control,
        cast(source_total as decimal(18, 4)) as source_total,
        cast(warehouse_total as decimal(18, 4)) as warehouse_total,
        cast(tolerance as decimal(18, 4)) as tolerance
    from delivery_controls

),

-- What was delivered and what was built of it tie exactly, rows and money.
final as (

    select
        settings.run_id,
        compared.control,
        compared.source_total,
        compared.warehouse_total,
        cast(compared.source_total - compared.warehouse_total as decimal(18, 4))
            as difference,
        compared.tolerance,
        coalesce(
            abs(compared.source_total - compared.warehouse_total)
            <= compared.tolerance,
            false
        ) as passed
    from compared
    cross join settings

)

select * from final
