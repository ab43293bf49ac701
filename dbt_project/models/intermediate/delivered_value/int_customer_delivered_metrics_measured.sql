{{ config(materialized='by_month', tells_late=true) }}
{%- set quality_measures = ['access_rate', 'drop_rate', 'outage_minutes'] -%}
-- Columns made in loops: the linter sees the loop's own breaks as wrong indents.
-- noqa: disable=LT02
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where
        is_published
        and {{ is_needed('month_number') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

quality as (

    select * from {{ ref('int_customer_quality_summed') }}
    where {{ is_needed('month_number', parameter_value('delivered_quality_months')) }}

),

service as (

    select * from {{ ref('int_customer_service_measured') }}
    where {{ is_needed('month_number') }}

),

contacts as (

    select * from {{ ref('int_customer_contacts_counted') }}
    where {{ is_needed('month_number') }}

),

prices as (

    select * from {{ ref('int_customer_prices_compared') }}
    where {{ is_needed('month_number') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

parameters as (

    {{ named_parameters(['delivered_quality_months']) }}

),

months_covered as (

    select
        months.month_number,
        max(case when feeds.feed = 'contacts' then 1 else 0 end) = 1
            as has_contacts,
        max(case when feeds.feed = 'complaints' then 1 else 0 end) = 1
            as has_complaints,
        max(case when feeds.feed = 'service_quality' then 1 else 0 end) = 1
            as has_quality
    from months
    left join feeds
        on
            months.month_number >= feeds.first_month_number
            and months.month_number <= feeds.last_month_number
    group by months.month_number

),

quality_offsets as (

    {{ number_series(
        '0',
        '(select delivered_quality_months - 1 from parameters)'
    ) }}

),

-- Each month of quality counts in every month whose window reaches back to it.
quality_windowed as (

    select
        quality.customer_id,
        quality.month_number + quality_offsets.number as month_number,
        {%- for measure in quality_measures %}
        cast(sum(quality.{{ measure }}_total) as decimal(18, 6))
            as {{ measure }}_total,
        sum(quality.{{ measure }}_count) as {{ measure }}_count
        {{- ',' if not loop.last }}
        {%- endfor %}
    from quality
    cross join quality_offsets
    group by quality.customer_id, quality.month_number + quality_offsets.number

),

-- A count is 0 where its feed covers the month and does not mention the customer; a
-- mean over nothing is not measured.
final as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        case
            when months_covered.has_quality
                then {{ mean_share(
                    'quality_windowed.access_rate_total',
                    'quality_windowed.access_rate_count'
                ) }}
        end as access_rate,
        case
            when months_covered.has_quality
                then {{ mean_share(
                    'quality_windowed.drop_rate_total',
                    'quality_windowed.drop_rate_count'
                ) }}
        end as drop_rate,
        case
            when months_covered.has_quality
                then {{ mean_money(
                    'quality_windowed.outage_minutes_total',
                    'quality_windowed.outage_minutes_count'
                ) }}
        end as outage_minutes,
        {{ mean_share('service.kept', 'service.outcomes') }}
            as service_level_kept_share,
        case
            when months_covered.has_contacts
                then coalesce(contacts.manager_contacts, 0)
        end as manager_contacts_3m,
        {{ mean_money('contacts.survey_score', 'contacts.survey_answers') }}
            as survey_score,
        {{ mean_money('service.satisfaction', 'service.answers') }}
            as mean_satisfaction,
        {{ mean_money(
            'prices.mean_price * 10000',
            'cast(prices.mean_median_price * 10000 as bigint)'
        ) }} as price_to_family_median,
        {{ mean_money('service.resolve_hours', 'service.resolved') }}
            as mean_resolve_hours,
        case
            when months_covered.has_contacts
                then coalesce(contacts.counter_contacts, 0)
        end as counter_contacts_3m,
        case
            when months_covered.has_complaints then coalesce(service.handed_off, 0)
        end as handed_off_12m,
        case
            when months_covered.has_complaints then coalesce(service.reopened, 0)
        end as reopened_12m,
        case
            when months_covered.has_complaints then coalesce(service.repeated, 0)
        end as repeated_12m
    from spine
    inner join months_covered on spine.month_number = months_covered.month_number
    left join quality_windowed
        on
            spine.customer_id = quality_windowed.customer_id
            and spine.month_number = quality_windowed.month_number
    left join service
        on
            spine.customer_id = service.customer_id
            and spine.month_number = service.month_number
    left join contacts
        on
            spine.customer_id = contacts.customer_id
            and spine.month_number = contacts.month_number
    left join prices
        on
            spine.customer_id = prices.customer_id
            and spine.month_number = prices.month_number

)

select * from final
