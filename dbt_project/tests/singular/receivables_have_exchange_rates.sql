-- Currencies and months with an open balance or a payment but no rate to convert it: it
-- would fall out of the customers' figures silently.
with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

balances as (

    select
        currency,
        month,
        outstanding_amount,
        paid_amount - lag(paid_amount, 1, 0) over (
            partition by currency order by month
        ) as paid_in_month
    from {{ ref('int_receivables_balanced') }}

)

select
    balances.currency,
    balances.month
from balances
cross join settings
left join {{ ref('int_exchange_rates_completed') }} as exchange_rates
    on
        balances.month = exchange_rates.month
        and balances.currency = exchange_rates.currency
where
    balances.currency <> settings.reporting_currency
    and (balances.outstanding_amount <> 0 or balances.paid_in_month <> 0)
    and (
        exchange_rates.cny_per_unit is null
        or exchange_rates.reporting_cny_per_unit is null
    )
