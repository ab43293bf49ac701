with fx_rates as (

    select * from {{ ref('fx_rates') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- CNY is the unit of the table itself: its rate is 1 in every month with any rate.
currencies as (

    select
        month,
        currency,
        cny_per_unit
    from fx_rates
    where currency <> 'CNY'
    union all
    select distinct
        month,
        'CNY' as currency,
        cast(1 as decimal(18, 8)) as cny_per_unit
    from fx_rates

),

reporting as (

    select
        currencies.month,
        currencies.cny_per_unit as reporting_cny_per_unit
    from currencies
    inner join settings on currencies.currency = settings.reporting_currency

)

select
    currencies.month,
    currencies.currency,
    currencies.cny_per_unit,
    reporting.reporting_cny_per_unit
from currencies
left join reporting on currencies.month = reporting.month
