{{ config(materialized='by_month', in_parts=false) }}
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

subscriptions as (

    select * from {{ ref('int_subscriptions_latest') }}

),

exchange_rates as (

    select * from {{ ref('int_exchange_rates_completed') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- Revenue never falls out of a total for want of a code: an unknown product is counted
-- as UNKNOWN, a subscription that no feed knows as none.
itemised as (

    select
        charges.charge_id as charge_key,
        charges.invoice_id,
        subscriptions.subscription_id,
        coalesce(products.product_code, 'UNKNOWN') as product_code,
        charges.charge_type,
        charges.amount
    from charges
    left join products on charges.product_code = products.product_code
    left join subscriptions on charges.subscription_id = subscriptions.subscription_id

),

-- A bill without any charge row is revenue by its header, net of tax.
unitemised as (

    select
        'UNITEMISED ' || invoice_id as charge_key,
        invoice_id,
        cast(null as varchar) as subscription_id,
        'UNITEMISED' as product_code,
        'unitemised' as charge_type,
        cast(total_amount - tax_amount as decimal(18, 4)) as amount
    from invoices
    where not is_itemised

),

lines as (

    select * from itemised
    union all
    select * from unitemised

),

converted as (

    select
        lines.charge_key,
        invoices.account_id,
        invoices.customer_id,
        lines.subscription_id,
        lines.product_code,
        lines.charge_type,
        invoices.billing_month as month,
        invoices.billing_month_number as month_number,
        {{ month_number('invoices.issued_on') }} as issued_month_number,
        {{ convert_money(
            'lines.amount',
            'invoices.currency',
            'exchange_rates.cny_per_unit',
            'settings.reporting_currency',
            'exchange_rates.reporting_cny_per_unit',
        ) }} as amount
    from lines
    inner join invoices on lines.invoice_id = invoices.invoice_id
    cross join settings
    left join exchange_rates
        on
            invoices.billing_month = exchange_rates.month
            and invoices.currency = exchange_rates.currency

),

-- Penalties and money collected for third parties are billed but are no revenue: their
-- rows stay, with 0 in every column.
final as (

    select
        charge_key,
        account_id,
        customer_id,
        subscription_id,
        product_code,
        charge_type,
        month,
        month_number,
        issued_month_number,
        {%- for charge_type, column in revenue_columns.items() %}
        case when charge_type = '{{ charge_type }}' then amount else 0 end
            as {{ column }},
        {%- endfor %}
        case
            when
                charge_type in (
                    {%- for charge_type in revenue_columns %}
                    '{{ charge_type }}'{{ ',' if not loop.last }}
                    {%- endfor %}
                )
                then amount
            else 0
        end as revenue
    from converted

)

select * from final
