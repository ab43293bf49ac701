{{ config(materialized='by_month') }}
{%- set measures = ['access_rate', 'drop_rate', 'outage_minutes'] -%}
-- Columns made in loops: the linter sees the loop's own breaks as wrong indents.
-- noqa: disable=LT02
with quality_months as (

    select * from {{ ref('int_service_quality_deduplicated') }}
    where {{ is_needed('quality_month') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_latest') }}

),

account_owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

-- The months join the sums: before, they would be spread over all subscriptions.
summed as (

    select
        account_owners.customer_id,
        {{ month_number('quality_months.quality_month') }} as month_number,
        {%- for measure in measures %}
        cast(sum(quality_months.{{ measure }}) as decimal(18, 6))
            as {{ measure }}_total,
        count(quality_months.{{ measure }}) as {{ measure }}_count
        {{- ',' if not loop.last }}
        {%- endfor %}
    from quality_months
    inner join subscriptions
        on quality_months.subscription_id = subscriptions.subscription_id
    inner join account_owners
        on
            subscriptions.account_id = account_owners.account_id
            and {{ month_number('quality_months.quality_month') }}
            >= account_owners.month_from_number
            and {{ month_number('quality_months.quality_month') }}
            < account_owners.month_to_number
    group by
        account_owners.customer_id,
        {{ month_number('quality_months.quality_month') }}

),

final as (

    select
        summed.customer_id,
        months.month,
        summed.month_number,
        {%- for measure in measures %}
        summed.{{ measure }}_total,
        summed.{{ measure }}_count
        {{- ',' if not loop.last }}
        {%- endfor %}
    from summed
    inner join months on summed.month_number = months.month_number

)

select * from final
