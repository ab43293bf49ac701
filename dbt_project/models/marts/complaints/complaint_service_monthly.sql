with complaints as (

    select * from {{ ref('int_complaints_clocked') }}
    where kind in ('complaint', 'fault')

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

parameters as (

    {{ named_parameters(['resolve_percentile'], type='decimal(10, 6)') }}

),

numbered as (

    select
        complaints.*,
        {{ month_number('opened_at') }} as opened_number,
        coalesce({{ month_number('resolved_at') }}, {{ open_month_number() }})
            as resolved_number
    from complaints

),

-- A complaint has a figure in each month from its opening to its resolution, even where
-- the feed has the two in the wrong order; so no month before the feed's first has any.
complaint_months as (

    select
        months.month,
        numbered.region_code,
        numbered.tier_code,
        numbered.category,
        numbered.respond_breached,
        numbered.resolve_breached,
        numbered.is_repeat,
        numbered.mediated,
        numbered.satisfaction,
        numbered.compensation,
        numbered.resolve_hours,
        numbered.reopened_count > 0 as is_reopened,
        numbered.opened_number = months.month_number as is_opened,
        numbered.resolved_number = months.month_number as is_resolved,
        numbered.opened_number <= months.month_number
        and numbered.resolved_number > months.month_number as is_open_at_end
    from numbered
    inner join months
        on
            least(numbered.opened_number, numbered.resolved_number)
            <= months.month_number
            and greatest(numbered.opened_number, numbered.resolved_number)
            >= months.month_number

),

placed as (

    select
        month,
        region_code,
        tier_code,
        category,
        resolve_hours,
        row_number() over (
            partition by month, region_code, tier_code, category
            order by resolve_hours
        ) as place,
        count(*) over (
            partition by month, region_code, tier_code, category
        ) as row_count
    from complaint_months
    where is_resolved

),

percentiles as (

    select
        placed.month,
        placed.region_code,
        placed.tier_code,
        placed.category,
        {{ weighted_percentile(
            'placed.resolve_hours', percentile_weight('placed.place', 'placed.row_count', '0.5')
        ) }} as median_resolve_hours,
        {{ weighted_percentile(
            'placed.resolve_hours',
            percentile_weight(
                'placed.place', 'placed.row_count', 'parameters.resolve_percentile'
            ),
        ) }} as p90_resolve_hours
    from placed
    cross join parameters
    group by placed.month, placed.region_code, placed.tier_code, placed.category

),

counted as (

    select
        month,
        region_code,
        tier_code,
        category,
        count(case when is_opened then 1 end) as opened,
        count(case when is_resolved then 1 end) as resolved,
        count(case when is_open_at_end then 1 end) as open_at_end,
        count(case when is_opened then respond_breached end) as respond_outcomes,
        count(case when is_opened and respond_breached then 1 end)
            as respond_breaches,
        count(case when is_opened then resolve_breached end) as resolve_outcomes,
        count(case when is_opened and resolve_breached then 1 end)
            as resolve_breaches,
        count(case when is_opened and is_repeat then 1 end) as repeats,
        count(case when is_opened and is_reopened then 1 end) as reopened,
        count(case when is_opened and mediated then 1 end) as mediated,
        count(case when is_opened then satisfaction end) as ratings,
        sum(case when is_opened then satisfaction end) as satisfaction,
        coalesce({{ sum_money('case when is_opened then compensation end') }}, 0)
            as compensation
    from complaint_months
    group by month, region_code, tier_code, category

),

final as (

    select
        counted.month,
        counted.region_code,
        counted.tier_code,
        counted.category,
        counted.opened,
        counted.resolved,
        counted.open_at_end,
        counted.respond_outcomes,
        counted.respond_breaches,
        {{ share_of('counted.respond_breaches', 'counted.respond_outcomes') }}
            as respond_breach_share,
        counted.resolve_outcomes,
        counted.resolve_breaches,
        {{ share_of('counted.resolve_breaches', 'counted.resolve_outcomes') }}
            as resolve_breach_share,
        percentiles.median_resolve_hours,
        percentiles.p90_resolve_hours,
        counted.repeats,
        {{ share_of('counted.repeats', 'counted.opened') }} as repeat_share,
        counted.reopened,
        counted.mediated,
        counted.ratings,
        {{ mean_money('counted.satisfaction', 'counted.ratings') }}
            as mean_satisfaction,
        counted.compensation
    from counted
    left join percentiles
        on
            counted.month = percentiles.month
            and counted.region_code = percentiles.region_code
            and counted.tier_code = percentiles.tier_code
            and counted.category = percentiles.category
    where counted.opened + counted.resolved + counted.open_at_end > 0

)

select * from final
