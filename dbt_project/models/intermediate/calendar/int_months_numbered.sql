with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

months as (

    select
        {{ month_of_number('series.number') }} as month,
        series.number as month_number
    from (
        {{ number_series(
            '(select ' ~ month_number('first_month') ~ ' from settings)',
            '(select ' ~ month_number('closing_month') ~ ' from settings)'
        ) }}
    ) as series

)

select
    month,
    {{ month_end('month') }} as month_end,
    month_number
from months
