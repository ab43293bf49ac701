{{ config(materialized='by_month', month='month_number', in_parts=false) }}
{%- set revenue_columns = {
    'recurring': 'recurring_revenue',
    'usage': 'usage_revenue',
    'one_off': 'one_off_revenue',
    'discount': 'discount',
    'adjustment': 'adjustment',
    'unitemised': 'unitemised_revenue',
} -%}
with invoices as (

    select * from {{ ref('int_invoices_counted') }}
    where {{ is_needed('billing_month_number') }}

),

charges as (

    select * from {{ ref('int_charges_deduplicated') }}

),

products as (

    select * from {{ ref('int_products_completed') }}

),

exchange_rates as (

    select * from {{ ref('int_exchange_rates_completed') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- A bill without any charge row is revenue by its header, net of tax. Revenue never
-- falls out of a total for want of a code: an unknown product is counted as UNKNOWN.
lines as (

    select
        invoices.account_id,
        invoices.customer_id,
        charges.subscription_id,
        case
            when charges.invoice_id is null then 'UNITEMISED'
            else coalesce(products.product_code, 'UNKNOWN')
        end as product_code,
        case
            when charges.invoice_id is null then 'unitemised'
            else charges.charge_type
        end as charge_type,
        invoices.currency,
        invoices.billing_month,
        invoices.billing_month_number as month_number,
        {{ month_number('invoices.issued_on') }} as issued_month_number,
        case
            when charges.invoice_id is null
                then cast(
                    invoices.total_amount - invoices.tax_amount as decimal(18, 4)
                )
            else charges.amount
        end as amount,
        charges.invoice_id is not null as is_itemised
    from invoices
    left join charges on invoices.invoice_id = charges.invoice_id
    left join products on charges.product_code = products.product_code

),

converted as (

    select
        lines.account_id,
        lines.customer_id,
        lines.subscription_id,
        lines.product_code,
        lines.charge_type,
        lines.month_number,
        lines.issued_month_number,
        {{ convert_money(
            'lines.amount',
            'lines.currency',
            'exchange_rates.cny_per_unit',
            'settings.reporting_currency',
            'exchange_rates.reporting_cny_per_unit',
        ) }} as amount,
        lines.is_itemised
    from lines
    cross join settings
    left join exchange_rates
        on
            lines.billing_month = exchange_rates.month
            and lines.currency = exchange_rates.currency

),

-- Penalties and money collected for third parties are billed but are no revenue: they
-- count 0 in every column.
summed as (

    select
        account_id,
        customer_id,
        subscription_id,
        product_code,
        month_number,
        issued_month_number,
        {%- for charge_type, column in revenue_columns.items() %}
        {{ sum_money(
            "case when charge_type = '" ~ charge_type ~ "' then amount else 0 end"
        ) }} as {{ column }},
        {%- endfor %}
        is_itemised
    from converted
    group by
        account_id,
        customer_id,
        subscription_id,
        product_code,
        month_number,
        issued_month_number,
        is_itemised

),

final as (

    select
        account_id,
        customer_id,
        subscription_id,
        product_code,
        month_number,
        issued_month_number,
        {%- for column in revenue_columns.values() %}
        {{ column }},
        {%- endfor %}
        cast(
            {{ revenue_columns.values() | join(' + ') }} as decimal(18, 4)
        ) as revenue,
        is_itemised
    from summed

)

select * from final
