with payments as (

    select * from {{ ref('int_payments_directed') }}
    where invoice_id is null

),

accounts as (

    select * from {{ ref('int_accounts_latest') }}
    where payment_mode = 'prepaid'

),

account_owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

account_activity as (

    select * from {{ ref('int_account_activity_ranged') }}

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

top_ups as (

    select
        account_owners.customer_id,
        months.month_number,
        {{ convert_money(
            'payments.amount',
            'payments.currency',
            'exchange_rates.cny_per_unit',
            'settings.reporting_currency',
            'exchange_rates.reporting_cny_per_unit',
        ) }} as top_up_amount,
        false as is_prepaid
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
            and payments.currency = exchange_rates.currency

),

-- The months in which somebody has a prepaid subscription and so can top up.
prepaid_months as (

    select
        account_activity.customer_id,
        months.month_number,
        cast(0 as decimal(18, 4)) as top_up_amount,
        true as is_prepaid
    from account_activity
    inner join accounts on account_activity.account_id = accounts.account_id
    inner join months
        on
            account_activity.month_from_number <= months.month_number
            and account_activity.month_to_number > months.month_number

),

customer_months as (

    select * from top_ups
    union all
    select * from prepaid_months

),

final as (

    select
        customer_id,
        month_number,
        {{ sum_money('top_up_amount') }} as top_up_amount,
        max(case when is_prepaid then 1 else 0 end) = 1 as is_prepaid
    from customer_months
    group by customer_id, month_number

)

select * from final
