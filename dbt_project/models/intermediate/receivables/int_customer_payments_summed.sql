{{ config(materialized='by_month') }}
with payments as (

    select * from {{ ref('int_payments_deduplicated') }}
    where {{ is_needed('paid_on') }}

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

payments_converted as (

    select
        account_owners.customer_id,
        months.month,
        months.month_number,
        {{ convert_money(
            'payments.amount',
            'accounts.currency',
            'exchange_rates.cny_per_unit',
            'settings.reporting_currency',
            'exchange_rates.reporting_cny_per_unit',
        ) }} as paid_amount
    from payments
    inner join accounts on payments.account_id = accounts.account_id
    inner join months on {{ month_of('payments.paid_on') }} = months.month
    inner join account_owners
        on
            payments.account_id = account_owners.account_id
            and months.month_number >= account_owners.month_from_number
            and months.month_number < account_owners.month_to_number
    cross join settings
    left join exchange_rates
        on
            months.month = exchange_rates.month
            and accounts.currency = exchange_rates.currency

),

final as (

    select
        customer_id,
        month,
        month_number,
        {{ sum_money('paid_amount') }} as paid_amount
    from payments_converted
    group by customer_id, month, month_number

)

select * from final
