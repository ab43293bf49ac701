{{ config(materialized='by_month', tells_late=true) }}
{%- set top_percents = [1, 5, 10, 20, 50] -%}
{%- set top_count = 1000 -%}
{%- set sum_percents = [20, 30, 80] -%}
{%- set measures = ['revenue', 'margin', 'voice_minutes', 'data_mb'] -%}
{%- set block_size = 100 -%}
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

-- A number sorts in a fraction of the time that a text or a date takes.
region_levels as (

    select
        local_code,
        region_code,
        cast(dense_rank() over (order by region_code) as smallint) as region_number
    from {{ ref('int_region_levels_unfolded') }}

),

regions as (

    select distinct
        region_number,
        region_code
    from region_levels

),

measured as (

    {%- for measure in measures %}
    select
        customer_id,
        month_number,
        {{ loop.index }} as measure_number,
        cast({{ measure }} as decimal(18, 4)) as amount
    from {{ {'revenue': 'revenue', 'margin': 'customer_values'}.get(measure, 'usage') }}
    where {{ measure }} > 0 and {{ is_needed('month_number') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

located as (

    select
        cast(measured.month_number as smallint) as month_number,
        region_levels.region_number,
        cast(measured.measure_number as smallint) as measure_number,
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

-- The greatest first. Between equals any order gives the same ranks and running sums;
-- so nothing else has to be sorted.
ranked as (

    select
        month_number,
        region_number,
        measure_number,
        amount,
        cast(
            row_number() over (
                partition by month_number, region_number, measure_number
                order by amount desc
            ) as integer
        ) as standing
    from located

),

-- A running sum over all customers costs many times what their order does. Only where a
-- figure ends is it needed row by row; up to there blocks of customers are enough.
blocks as (

    select
        month_number,
        region_number,
        measure_number,
        standing - (standing - 1) % {{ block_size }} as first_standing,
        count(*) as customers,
        {{ sum_money('amount') }} as total,
        sum(cast(standing as decimal(10, 0)) * amount) as standing_weighted_total
    from ranked
    group by
        month_number,
        region_number,
        measure_number,
        standing - (standing - 1) % {{ block_size }}

),

totals as (

    select
        month_number,
        region_number,
        measure_number,
        {%- for percent in top_percents %}
        ceil(sum(customers) * {{ '%.2f' % (percent / 100) }})
            as top_{{ percent }}_customers,
        {%- endfor %}
        least(sum(customers), {{ top_count }}) as top_{{ top_count }}_customers,
        {%- for percent in sum_percents %}
        {{ sum_money('total') }} * {{ '%.2f' % (percent / 100) }}
            as total_for_{{ percent }},
        {%- endfor %}
        cast(sum(customers) as bigint) as customers,
        {{ sum_money('total') }} as total,
        cast(sum(standing_weighted_total) as decimal(38, 4)) as standing_weighted_total
    from blocks
    group by month_number, region_number, measure_number

),

blocks_accumulated as (

    select
        month_number,
        region_number,
        measure_number,
        first_standing,
        first_standing + customers - 1 as last_standing,
        cast(
            sum(total) over (
                partition by month_number, region_number, measure_number
                order by first_standing
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as total_to_end,
        total as block_total
    from blocks

),

blocks_ended_in as (

    select
        blocks_accumulated.month_number,
        blocks_accumulated.region_number,
        blocks_accumulated.measure_number,
        blocks_accumulated.first_standing,
        cast(
            blocks_accumulated.total_to_end - blocks_accumulated.block_total
            as decimal(18, 4)
        ) as total_before
    from blocks_accumulated
    inner join totals
        on
            blocks_accumulated.month_number = totals.month_number
            and blocks_accumulated.region_number = totals.region_number
            and blocks_accumulated.measure_number = totals.measure_number
    where
        false
        {%- for top in top_percents + [top_count] %}
        or totals.top_{{ top }}_customers
        between blocks_accumulated.first_standing and blocks_accumulated.last_standing
        {%- endfor %}
        {%- for percent in sum_percents %}
        or totals.total_for_{{ percent }}
        between blocks_accumulated.total_to_end - blocks_accumulated.block_total
        and blocks_accumulated.total_to_end
        {%- endfor %}

),

accumulated as (

    select
        ranked.month_number,
        ranked.region_number,
        ranked.measure_number,
        ranked.amount,
        ranked.standing,
        blocks_ended_in.total_before
        + cast(
            sum(ranked.amount) over (
                partition by
                    ranked.month_number,
                    ranked.region_number,
                    ranked.measure_number,
                    blocks_ended_in.first_standing
                order by ranked.standing
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as running_total
    from ranked
    inner join blocks_ended_in
        on
            ranked.month_number = blocks_ended_in.month_number
            and ranked.region_number = blocks_ended_in.region_number
            and ranked.measure_number = blocks_ended_in.measure_number
            and ranked.standing - (ranked.standing - 1) % {{ block_size }}
            = blocks_ended_in.first_standing

),

-- All amounts are above 0: the greatest running total up to a place is the one at it.
ended as (

    select
        totals.month_number,
        totals.region_number,
        totals.measure_number,
        totals.customers,
        {%- for top in top_percents + [top_count] %}
        max(
            case
                when accumulated.standing <= totals.top_{{ top }}_customers
                    then accumulated.running_total
            end
        ) as top_{{ top }}_total,
        {%- endfor %}
        {%- for percent in sum_percents %}
        max(
            case
                when
                    accumulated.running_total - accumulated.amount
                    < totals.total_for_{{ percent }}
                    then accumulated.standing
            end
        ) as customers_for_{{ percent }},
        {%- endfor %}
        totals.total,
        totals.standing_weighted_total
    from accumulated
    inner join totals
        on
            accumulated.month_number = totals.month_number
            and accumulated.region_number = totals.region_number
            and accumulated.measure_number = totals.measure_number
    group by
        totals.month_number,
        totals.region_number,
        totals.measure_number,
        totals.customers,
        totals.total,
        totals.standing_weighted_total

),

final as (

    select
        {{ month_of_number('ended.month_number') }} as month,
        regions.region_code,
        case ended.measure_number
            {%- for measure in measures %}
            when {{ loop.index }} then '{{ measure }}'
            {%- endfor %}
        end as measure,
        ended.customers,
        ended.total,
        {%- for top in top_percents + [top_count] %}
        {{ share_of('ended.top_' ~ top ~ '_total', 'ended.total') }}
            as top_{{ top }}_share,
        {%- endfor %}
        {%- for percent in sum_percents %}
        cast(ended.customers_for_{{ percent }} as bigint)
            as customers_for_{{ percent }},
        {%- endfor %}
        -- Standing counts from the greatest, the coefficient from the smallest.
        {{ share_of(
            '(ended.customers + 1) * ended.total'
            ~ ' - ended.standing_weighted_total - ended.standing_weighted_total',
            'ended.customers * ended.total'
        ) }} as gini
    from ended
    inner join regions on ended.region_number = regions.region_number

)

select * from final
