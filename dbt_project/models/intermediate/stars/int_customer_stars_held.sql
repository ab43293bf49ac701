{#-
    How often a customer can be rated without leaving: twenty times twelve months is
    twenty years. Months beyond that would lack their stars, which the suite of
    customer_star_monthly does not accept.
-#}
{% set ratings = 20 -%}
{{ config(
    materialized='by_month',
    month='month_number',
    tells_late=true,
    in_parts=false,
) }}
{%- set first = first_rebuilt_month() %}

with scored as (

    select * from {{ ref('int_customer_stars_scored') }}
    where {{ is_needed('month_number', 1) }}

),

parameters as (

    {{ named_parameters(['star_valid_months']) }}

),

-- Until its stars lapse a customer has the most that any month since the rating earned,
-- so one running maximum tells stars and the month they were reached in. A month
-- without a rating earns none.
earned as (

    select
        scored.customer_id,
        scored.active_since_number,
        scored.month_number,
        {{ star_record('coalesce(scored.rated_stars, 0)', 'scored.month_number') }}
            as record,
        parameters.star_valid_months
    from scored
    cross join parameters

),

{% if first is none -%}
waiting_1 as (

    select * from earned

),

{% else -%}
-- The stars held in the last month that stays are what later months begin with.
held_before as (

    select
        customer_id,
        month_number,
        stars,
        valid_to_number
    from {{ this }}
    where month_number = {{ first - 1 }}

),

waiting_1 as (

    select
        earned.customer_id,
        earned.active_since_number,
        earned.month_number,
        coalesce(
            {{ star_record(
                'held_before.stars',
                '(held_before.valid_to_number - earned.star_valid_months)',
            ) }},
            earned.record
        ) as record,
        earned.star_valid_months
    from earned
    left join held_before
        on
            earned.customer_id = held_before.customer_id
            and earned.month_number = held_before.month_number

),

{% endif -%}

{% for rating in range(1, ratings + 1) %}
-- The best record before each month since rating {{ rating }}; leaving ends it.
compared_{{ rating }} as (

    select
        *,
        max(record) over (
            partition by customer_id, active_since_number
            order by month_number
            rows between unbounded preceding and 1 preceding
        ) as record_before
    from waiting_{{ rating }}

),

lapsing_{{ rating }} as (

    select
        *,
        max(
            case
                when
                    month_number - {{ month_of_record('record_before') }}
                    >= star_valid_months
                    then 1
                else 0
            end
        ) over (
            partition by customer_id, active_since_number
            order by month_number
            rows between unbounded preceding and current row
        ) as has_lapsed
    from compared_{{ rating }}

),

{% if not loop.last -%}
-- From the month in which the stars lapse on, the next rating counts.
waiting_{{ rating + 1 }} as (

    select
        customer_id,
        active_since_number,
        month_number,
        record,
        star_valid_months
    from lapsing_{{ rating }}
    where has_lapsed = 1

),

{% endif -%}
{% endfor -%}
held as (

    {% for rating in range(1, ratings + 1) -%}
    select
        customer_id,
        month_number,
        star_valid_months,
        greatest(record, coalesce(record_before, record)) as record
    from lapsing_{{ rating }}
    where has_lapsed = 0
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

final as (

    select
        customer_id,
        month_number,
        {{ stars_of_record('record') }} as stars,
        {{ month_of_record('record') }} + star_valid_months as valid_to_number
    from held
    where {{ stars_of_record('record') }} > 0

)

select * from final
