{{ config(materialized='by_month', tells_late=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where
        is_ranked
        and {{ is_needed('month_number') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}
    where {{ is_needed('month_number') }}

),

usage as (

    select * from {{ ref('int_customer_usage_summed') }}

),

top_ups as (

    select * from {{ ref('int_customer_top_ups_summed') }}

),

receivables as (

    select * from {{ ref('int_customer_receivables_graded') }}
    where {{ is_needed('month_number') }}

),

complaints_counted as (

    select * from {{ ref('int_customer_complaints_counted') }}
    where {{ is_needed('month_number') }}

),

complaints as (

    select * from {{ ref('int_complaints_dated') }}

),

plan_changes as (

    select * from {{ ref('int_customer_plan_changes_counted') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

parameters as (

    {{ named_parameters(['star_mean_months', 'star_window_months']) }}

),

plans_delivered as (

    select count(plan_code) as plan_count
    from {{ ref('int_subscriptions_deduplicated') }}

),

usage_delivered as (

    select
        min(case when active_days is not null then month_number end)
            as active_days_from_number,
        max(case when active_days is not null then month_number end)
            as active_days_to_number
    from usage

),

-- Operators that deliver no plans or no active days have not measured them.
columns_delivered as (

    select
        plans_delivered.plan_count > 0 as has_plans,
        usage_delivered.active_days_from_number,
        usage_delivered.active_days_to_number
    from plans_delivered
    cross join usage_delivered

),

months_covered as (

    select
        months.month_number,
        coalesce(
            months.month_number >= max(columns_delivered.active_days_from_number)
            and months.month_number <= max(columns_delivered.active_days_to_number),
            false
        ) as has_active_days,
        max(columns_delivered.active_days_from_number) as active_days_from_number,
        max(case when columns_delivered.has_plans then 1 else 0 end) = 1 as has_plans,
        max(case when feeds.feed = 'complaints' then 1 else 0 end) = 1
            as has_complaints,
        max(case when feeds.feed = 'usage' then feeds.first_month_number end)
            as usage_from_number,
        max(case when feeds.feed = 'payments' then feeds.first_month_number end)
            as payments_from_number
    from months
    cross join columns_delivered
    left join feeds
        on
            months.month_number >= feeds.first_month_number
            and months.month_number <= feeds.last_month_number
    group by months.month_number

),

mean_offsets as (

    {{ number_series(
        '0',
        '(select star_mean_months - 1 from parameters)'
    ) }}

),

-- Each month's figures are counted in every month whose window reaches back to it.
monthly_figures as (

    select
        customer_id,
        month_number,
        voice_minutes,
        data_mb,
        active_days,
        case when active_days is null then 1 else 0 end as unknown_days,
        cast(0 as decimal(18, 4)) as top_up_amount
    from usage
    where {{ is_needed('month_number', parameter_value('star_mean_months')) }}
    union all
    select
        customer_id,
        month_number,
        cast(0 as decimal(18, 2)) as voice_minutes,
        cast(0 as decimal(18, 2)) as data_mb,
        cast(0 as bigint) as active_days,
        0 as unknown_days,
        top_up_amount
    from top_ups
    where
        top_up_amount <> 0
        and {{ is_needed('month_number', parameter_value('star_mean_months')) }}

),

figures_windowed as (

    select
        monthly_figures.customer_id,
        monthly_figures.month_number + mean_offsets.number as month_number,
        {{ sum_money('monthly_figures.voice_minutes') }} as voice_minutes,
        {{ sum_money('monthly_figures.data_mb') }} as data_mb,
        {{ sum_money('monthly_figures.top_up_amount') }} as top_up_amount,
        sum(monthly_figures.active_days) as active_days,
        sum(monthly_figures.unknown_days) as unknown_days
    from monthly_figures
    cross join mean_offsets
    group by
        monthly_figures.customer_id,
        monthly_figures.month_number + mean_offsets.number

),

satisfaction_windowed as (

    select
        complaints.customer_id,
        months.month_number,
        sum(complaints.satisfaction) as satisfaction,
        count(*) as answers
    from complaints
    cross join parameters
    inner join months
        on
            {{ month_number('complaints.opened_at') }} <= months.month_number
            and {{ month_number('complaints.opened_at') }}
            + parameters.star_window_months > months.month_number
    where
        complaints.kind in ('complaint', 'fault')
        and complaints.satisfaction is not null
    group by complaints.customer_id, months.month_number

),

plan_changes_windowed as (

    select
        plan_changes.customer_id,
        months.month_number,
        sum(plan_changes.plan_changes) as plan_changes
    from plan_changes
    cross join parameters
    inner join months
        on
            plan_changes.month_number <= months.month_number
            and plan_changes.month_number + parameters.star_window_months
            > months.month_number
    group by plan_changes.customer_id, months.month_number

),

-- A mean is over the months of its window that exist for the customer and that the feed
-- covers.
joined as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.active_since_number,
        spine.tenure_months,
        revenue.avg_revenue_3m,
        months_covered.has_complaints,
        months_covered.has_plans,
        coalesce(figures_windowed.voice_minutes, 0) as voice_minutes,
        coalesce(figures_windowed.data_mb, 0) as data_mb,
        coalesce(figures_windowed.active_days, 0) as active_days,
        coalesce(figures_windowed.top_up_amount, 0) as top_up_amount,
        case
            when months_covered.usage_from_number is not null
                then least(
                    parameters.star_mean_months,
                    revenue.months_existing,
                    spine.month_number - months_covered.usage_from_number + 1
                )
        end as usage_months,
        case
            when months_covered.has_active_days
                then least(
                    parameters.star_mean_months,
                    revenue.months_existing,
                    spine.month_number - months_covered.active_days_from_number + 1
                ) - coalesce(figures_windowed.unknown_days, 0)
        end as active_days_months,
        case
            when months_covered.payments_from_number is not null and top_ups.is_prepaid
                then least(
                    parameters.star_mean_months,
                    revenue.months_existing,
                    spine.month_number - months_covered.payments_from_number + 1
                )
        end as top_up_months,
        receivables.due_amount,
        receivables.on_time_amount,
        receivables.longest_delay_days,
        coalesce(complaints_counted.complaints_12m, 0) as complaints_12m,
        coalesce(complaints_counted.open_complaints, 0) as open_complaints,
        satisfaction_windowed.satisfaction,
        satisfaction_windowed.answers,
        coalesce(plan_changes_windowed.plan_changes, 0) as plan_changes
    from spine
    cross join parameters
    inner join months_covered on spine.month_number = months_covered.month_number
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    left join figures_windowed
        on
            spine.customer_id = figures_windowed.customer_id
            and spine.month_number = figures_windowed.month_number
    left join top_ups
        on
            spine.customer_id = top_ups.customer_id
            and spine.month_number = top_ups.month_number
    left join receivables
        on
            spine.customer_id = receivables.customer_id
            and spine.month_number = receivables.month_number
    left join complaints_counted
        on
            spine.customer_id = complaints_counted.customer_id
            and spine.month_number = complaints_counted.month_number
    left join satisfaction_windowed
        on
            spine.customer_id = satisfaction_windowed.customer_id
            and spine.month_number = satisfaction_windowed.month_number
    left join plan_changes_windowed
        on
            spine.customer_id = plan_changes_windowed.customer_id
            and spine.month_number = plan_changes_windowed.month_number

),

-- The ratio is cut, not rounded: it reaches a bound of at most 6 decimals exactly where
-- the amounts do.
final as (

    select
        customer_id,
        month,
        month_number,
        active_since_number,
        avg_revenue_3m,
        case
            when usage_months > 0
                then {{ mean_money('voice_minutes', 'usage_months') }}
        end as voice_minutes,
        case
            when usage_months > 0
                then {{ mean_money('data_mb', 'usage_months') }}
        end as data_mb,
        case
            when top_up_months > 0
                then {{ mean_money('top_up_amount', 'top_up_months') }}
        end as top_up_amount,
        case
            when on_time_amount = due_amount and due_amount > 0 then 1
            else {{ cut_ratio('on_time_amount', 'due_amount') }}
        end as on_time_ratio_12m,
        longest_delay_days,
        case when has_complaints then complaints_12m end as complaints_12m,
        case when has_complaints then open_complaints end as open_complaints,
        {{ mean_money('satisfaction', 'answers') }} as mean_satisfaction,
        tenure_months,
        case when has_plans then cast(plan_changes as bigint) end as plan_changes_12m,
        case
            when active_days_months > 0
                then {{ mean_money('active_days', 'active_days_months') }}
        end as active_days
    from joined

)

select * from final
