with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

finished_runs as (

    select * from {{ ref('stg_control__finished_runs') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

invoices as (

    select * from {{ ref('int_invoices_deduplicated') }}

),

-- Bills of these months have arrived, but too few to close the month.
later_months as (

    select distinct
        {{ month_of('invoices.billing_month') }} as month,
        false as is_closed
    from invoices
    inner join settings on invoices.billing_month > settings.closing_month
    where invoices.category not in ('duplicate', 'trial')

),

all_months as (

    select
        month,
        true as is_closed
    from months
    union all
    select
        month,
        is_closed
    from later_months

),

-- The run in progress closes what no publication before it did.
closing_runs as (

    select
        closing_month,
        started_at
    from finished_runs
    where status = 'published'
    union all
    select
        closing_month,
        started_at
    from settings

),

closed as (

    select
        months.month,
        min(closing_runs.started_at) as closed_at
    from months
    inner join closing_runs on months.month <= closing_runs.closing_month
    group by months.month

),

final as (

    select
        all_months.month,
        cast(extract(year from all_months.month) as bigint) as year,
        cast(extract(quarter from all_months.month) as bigint) as quarter,
        all_months.is_closed,
        closed.closed_at
    from all_months
    left join closed on all_months.month = closed.month

)

select * from final
