with balances as (

    select * from {{ ref('int_invoice_balances_ranged') }}

),

settlements as (

    select * from {{ ref('int_settlements_allocated') }}

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

bad_debt_age as (

    select cast(value as bigint) as bad_debt_days
    from {{ ref('parameters') }}
    where name = 'bad_debt_days'

),

-- The first month at whose end an open bill is past the age; it never gets younger.
written_off as (

    select
        balances.invoice_id,
        balances.customer_id,
        balances.currency,
        min(months.month_number) as month_number
    from balances
    cross join bad_debt_age
    inner join months
        on
            balances.month_from_number <= months.month_number
            and (
                balances.month_to_number is null
                or balances.month_to_number > months.month_number
            )
    where
        balances.payment_mode = 'postpaid'
        and balances.outstanding_amount > 0
        and {{ days_between('balances.due_on', 'months.month_end') }}
        > bad_debt_age.bad_debt_days
    group by balances.invoice_id, balances.customer_id, balances.currency

),

changes as (

    select
        written_off.customer_id,
        written_off.currency,
        written_off.month_number,
        balances.outstanding_amount as amount
    from written_off
    inner join balances
        on
            written_off.invoice_id = balances.invoice_id
            and written_off.month_number >= balances.month_from_number
            and (
                balances.month_to_number is null
                or written_off.month_number < balances.month_to_number
            )
    union all
    select
        written_off.customer_id,
        written_off.currency,
        {{ month_number('settlements.settled_on') }} as month_number,
        -settlements.amount as amount
    from written_off
    inner join settlements
        on
            written_off.invoice_id = settlements.invoice_id
            and {{ month_number('settlements.settled_on') }} > written_off.month_number

),

changes_converted as (

    select
        changes.customer_id,
        months.month,
        months.month_number,
        {{ convert_money(
            'changes.amount',
            'changes.currency',
            'exchange_rates.cny_per_unit',
            'settings.reporting_currency',
            'exchange_rates.reporting_cny_per_unit',
        ) }} as bad_debt
    from changes
    inner join months on changes.month_number = months.month_number
    cross join settings
    left join exchange_rates
        on
            months.month = exchange_rates.month
            and changes.currency = exchange_rates.currency

),

final as (

    select
        customer_id,
        month,
        month_number,
        {{ sum_money('bad_debt') }} as bad_debt
    from changes_converted
    group by customer_id, month, month_number

)

select * from final
