with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters(['returned_lookback_months']) }}

),

bounds as (

    select
        {{ month_number('settings.first_month') }} - parameters.returned_lookback_months
            as first_number,
        {{ month_number('settings.closing_month') }} as last_number
    from settings
    cross join parameters

),

final as (

    select
        {{ month_of_number('series.number') }} as month,
        series.number as month_number
    from (
        {{ number_series(
            '(select first_number from bounds)', '(select last_number from bounds)'
        ) }}
    ) as series

)

select * from final
