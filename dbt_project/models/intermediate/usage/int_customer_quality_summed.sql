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

final as (

    select
        account_owners.customer_id,
        months.month,
        months.month_number,
        {%- for measure in measures %}
        cast(sum(quality_months.{{ measure }}) as decimal(18, 6))
            as {{ measure }}_total,
        count(quality_months.{{ measure }}) as {{ measure }}_count
        {{- ',' if not loop.last }}
        {%- endfor %}
    from quality_months
    inner join months on quality_months.quality_month = months.month
    inner join subscriptions
        on quality_months.subscription_id = subscriptions.subscription_id
    inner join account_owners
        on
            subscriptions.account_id = account_owners.account_id
            and months.month_number >= account_owners.month_from_number
            and months.month_number < account_owners.month_to_number
    group by account_owners.customer_id, months.month, months.month_number

)

select * from final
