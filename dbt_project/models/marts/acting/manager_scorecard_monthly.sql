{#- Whether a higher value of a measure is the better one. -#}
{%- set measures = {
    'revenue': true,
    'revenue_growth': true,
    'retention_rate': true,
    'renewal_rate': true,
    'key_visited_share': true,
    'senior_visit_share': true,
    'service_level_kept_share': true,
    'overdue_share': false,
} -%}
with portfolios as (

    select * from {{ ref('int_manager_portfolios_summed') }}

),

weights as (

    select * from {{ ref('manager_kpi_weights') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

months_covered as (

    select
        months.month_number,
        months.month_number > min(months.month_number) over () as has_month_before,
        max(case when feeds.feed = 'contacts' then 1 else 0 end) = 1 as has_contacts,
        max(case when feeds.feed = 'payments' then 1 else 0 end) = 1 as has_payments
    from {{ ref('int_months_numbered') }} as months
    left join feeds
        on
            months.month_number >= feeds.first_month_number
            and months.month_number <= feeds.last_month_number
    group by months.month_number

),

measured as (

    select
        portfolios.manager_id,
        portfolios.month,
        portfolios.customers,
        portfolios.revenue,
        case when months_covered.has_month_before then portfolios.revenue_before end
            as revenue_before,
        portfolios.customers_before,
        portfolios.customers_left,
        portfolios.contracts_decided,
        portfolios.contracts_renewed,
        portfolios.key_customers,
        case when months_covered.has_contacts then portfolios.key_customers_visited end
            as key_customers_visited,
        case
            when months_covered.has_contacts
                then portfolios.key_customers_visited_by_senior
        end as key_customers_visited_by_senior,
        portfolios.service_outcomes,
        portfolios.service_kept,
        case when months_covered.has_payments then portfolios.outstanding_amount end
            as outstanding_amount,
        case when months_covered.has_payments then portfolios.overdue_amount end
            as overdue_amount
    from portfolios
    inner join months_covered on portfolios.month_number = months_covered.month_number

),

compared as (

    select
        measured.*,
        {{ share_of(
            '(measured.revenue - measured.revenue_before)',
            'case when measured.revenue_before > 0 then measured.revenue_before end',
        ) }} as revenue_growth,
        {{ share_of(
            'measured.customers_before - measured.customers_left',
            'measured.customers_before',
        ) }} as retention_rate,
        {{ share_of('measured.contracts_renewed', 'measured.contracts_decided') }}
            as renewal_rate,
        {{ share_of('measured.key_customers_visited', 'measured.key_customers') }}
            as key_visited_share,
        {{ share_of(
            'measured.key_customers_visited_by_senior', 'measured.key_customers'
        ) }} as senior_visit_share,
        {{ share_of('measured.service_kept', 'measured.service_outcomes') }}
            as service_level_kept_share,
        {{ share_of('measured.overdue_amount', 'measured.outstanding_amount') }}
            as overdue_share
    from measured

),

-- One row per measure of a manager, as a decimal that is higher the better it is: the
-- last digits of a quotient of floats decide no rank.
measures as (
    {% for measure, is_higher_better in measures.items() %}
    select
        manager_id,
        month,
        '{{ measure }}' as measure,
        {{ '' if is_higher_better else '-' -}}
        cast({{ measure }} as decimal(38, 9)) as merit
    from compared
    where {{ measure }} is not null
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

placed as (

    select
        manager_id,
        month,
        measure,
        rank() over (partition by month, measure order by merit) - 1 as place,
        count(*) over (partition by month, measure) - 1 as places
    from measures

),

-- Percentile rank: place / places; the only manager with a measure stands at the top.
scored as (

    select
        placed.manager_id,
        placed.month,
        sum(
            weights.weight * cast(
                case
                    when placed.places = 0 then 1
                    else cast(placed.place as double) / placed.places
                end as decimal(18, 12)
            )
        ) as points,
        sum(weights.weight) as weight
    from placed
    inner join weights on placed.measure = weights.measure
    group by placed.manager_id, placed.month

),

final as (

    select
        compared.manager_id,
        compared.month,
        compared.customers,
        compared.revenue,
        compared.revenue_before,
        compared.revenue_growth,
        compared.customers_before,
        compared.customers_left,
        compared.retention_rate,
        compared.contracts_decided,
        compared.contracts_renewed,
        compared.renewal_rate,
        compared.key_customers,
        compared.key_customers_visited,
        compared.key_visited_share,
        compared.key_customers_visited_by_senior,
        compared.senior_visit_share,
        compared.service_outcomes,
        compared.service_kept,
        compared.service_level_kept_share,
        compared.outstanding_amount,
        compared.overdue_amount,
        compared.overdue_share,
        {{ share_of('scored.points', 'scored.weight') }} as score
    from compared
    left join scored
        on
            compared.manager_id = scored.manager_id
            and compared.month = scored.month

)

select * from final
