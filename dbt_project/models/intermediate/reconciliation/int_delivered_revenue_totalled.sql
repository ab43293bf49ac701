-- The money of the files themselves, by the shortest way: neither owners nor products
-- nor customers are looked at, so that the marts are held against something they did
-- not make.
with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

invoices as (

    select
        invoices.*,
        rates.cny_per_unit,
        rates.reporting_cny_per_unit,
        settings.reporting_currency
    from {{ ref('int_invoices_deduplicated') }} as invoices
    cross join settings
    left join {{ ref('int_exchange_rates_completed') }} as rates
        on
            invoices.billing_month = rates.month
            and invoices.currency = rates.currency
    where
        invoices.category in ({{ counted_categories() }})
        and invoices.billing_month <= settings.closing_month

),

charges as (

    select * from {{ ref('int_charges_deduplicated') }}

),

owned_invoices as (

    select invoice_id from {{ ref('int_invoices_counted') }}

),

charges_converted as (

    select
        invoices.invoice_id,
        case
            when charges.charge_type in (
                'recurring', 'usage', 'one_off', 'discount', 'adjustment'
            ) then {{ convert_money(
                'charges.amount', 'invoices.currency', 'invoices.cny_per_unit',
                'invoices.reporting_currency', 'invoices.reporting_cny_per_unit'
            ) }}
            else cast(0 as decimal(18, 4))
        end as revenue,
        charges.amount
    from invoices
    inner join charges on invoices.invoice_id = charges.invoice_id

),

itemised as (

    select
        invoice_id,
        {{ sum_money('revenue') }} as revenue,
        {{ sum_money('amount') }} as charged_amount
    from charges_converted
    group by invoice_id

),

totals as (

    select
        invoices.invoice_id,
        invoices.currency,
        case
            when itemised.invoice_id is not null then itemised.revenue
            else {{ convert_money(
                'invoices.total_amount - invoices.tax_amount',
                'invoices.currency', 'invoices.cny_per_unit',
                'invoices.reporting_currency', 'invoices.reporting_cny_per_unit'
            ) }}
        end as revenue,
        {{ convert_money(
            'invoices.total_amount', 'invoices.currency', 'invoices.cny_per_unit',
            'invoices.reporting_currency', 'invoices.reporting_cny_per_unit'
        ) }} as billed_amount,
        itemised.charged_amount,
        case
            when itemised.invoice_id is not null
                then invoices.total_amount - invoices.tax_amount
        end as itemised_amount,
        owned_invoices.invoice_id is not null as has_customer
    from invoices
    left join itemised on invoices.invoice_id = itemised.invoice_id
    left join owned_invoices on invoices.invoice_id = owned_invoices.invoice_id

),

owned as (

    select
        currency,
        revenue,
        billed_amount,
        charged_amount,
        itemised_amount,
        case when has_customer then 0 else revenue end as revenue_without_customer,
        case when has_customer then 0 else billed_amount end as billed_without_customer,
        case when has_customer then 0 else 1 end as invoice_without_customer
    from totals

),

final as (

    select
        currency,
        count(*) as invoices,
        sum(invoice_without_customer) as invoices_without_customer,
        count(charged_amount) as itemised_invoices,
        {{ sum_money('revenue') }} as revenue,
        {{ sum_money('revenue_without_customer') }} as revenue_without_customer,
        {{ sum_money('billed_amount') }} as billed_amount,
        {{ sum_money('billed_without_customer') }} as billed_without_customer,
        {{ sum_money('itemised_amount') }} as itemised_amount,
        {{ sum_money('charged_amount') }} as charged_amount
    from owned
    group by currency

)

select * from final
