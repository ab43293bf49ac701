{%- set top_percents = [1, 5, 10, 20, 50] -%}
{%- set top_count = 1000 -%}
{%- set sum_percents = [20, 30, 80] -%}
with revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}

),

customer_values as (

    select * from {{ ref('int_customer_value_layered') }}

),

usage as (

    select * from {{ ref('int_customer_usage_summed') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

region_levels as (

    select * from {{ ref('int_region_levels_unfolded') }}

),

measured as (

    select
        customer_id,
        month,
        month_number,
        'revenue' as measure,
        revenue as amount
    from revenue
    union all
    select
        customer_id,
        month,
        month_number,
        'margin' as measure,
        margin as amount
    from customer_values
    union all
    select
        customer_id,
        month,
        month_number,
        'voice_minutes' as measure,
        cast(voice_minutes as decimal(18, 4)) as amount
    from usage
    union all
    select
        customer_id,
        month,
        month_number,
        'data_mb' as measure,
        cast(data_mb as decimal(18, 4)) as amount
    from usage

),

located as (

    select
        measured.month,
        region_levels.region_code,
        measured.measure,
        measured.amount
    from measured
    inner join customer_versions
        on
            measured.customer_id = customer_versions.customer_id
            and measured.month_number >= customer_versions.month_from_number
            and measured.month_number < customer_versions.month_to_number
    inner join region_levels on customer_versions.region_code = region_levels.local_code
    where measured.amount > 0

),

totals as (

    select
        month,
        region_code,
        measure,
        count(*) as customers,
        {{ sum_money('amount') }} as total
    from located
    group by month, region_code, measure

),

-- The greatest first. Between equals any order gives the same ranks and running sums;
-- so nothing else, and no text, has to be sorted.
ranked as (

    select
        month,
        region_code,
        measure,
        amount,
        row_number() over (
            partition by month, region_code, measure
            order by amount desc
        ) as standing,
        cast(
            sum(amount) over (
                partition by month, region_code, measure
                order by amount desc
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as running_total
    from located

),

-- Summing the running totals counts the smallest amount once and the greatest N times:
-- the ascending rank-weighted sum of the Gini coefficient, without a second sort.
accumulated as (

    select
        totals.month,
        totals.region_code,
        totals.measure,
        totals.customers,
        totals.total,
        {%- for percent in top_percents %}
        sum(
            case
                when
                    ranked.standing
                    <= ceil(totals.customers * {{ '%.2f' % (percent / 100) }})
                    then ranked.amount
                else 0
            end
        ) as top_{{ percent }}_total,
        {%- endfor %}
        sum(case when ranked.standing <= {{ top_count }} then ranked.amount else 0 end)
            as top_{{ top_count }}_total,
        {%- for percent in sum_percents %}
        count(
            case
                when
                    ranked.running_total - ranked.amount
                    < totals.total * {{ '%.2f' % (percent / 100) }}
                    then 1
            end
        ) as customers_for_{{ percent }},
        {%- endfor %}
        sum(ranked.running_total) as rank_weighted_total
    from ranked
    inner join totals
        on
            ranked.month = totals.month
            and ranked.region_code = totals.region_code
            and ranked.measure = totals.measure
    group by
        totals.month,
        totals.region_code,
        totals.measure,
        totals.customers,
        totals.total

),

final as (

    select
        month,
        region_code,
        measure,
        customers,
        total,
        {%- for top in top_percents + [top_count] %}
        {{ share_of('top_' ~ top ~ '_total', 'total') }} as top_{{ top }}_share,
        {%- endfor %}
        {%- for percent in sum_percents %}
        customers_for_{{ percent }},
        {%- endfor %}
        {{ share_of(
            'rank_weighted_total + rank_weighted_total - (customers + 1) * total',
            'customers * total'
        ) }} as gini
    from accumulated

)

select * from final
