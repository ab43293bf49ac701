with settings as (

    select * from {{ ref('stg_control__run_settings') }}

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
    where invoices.category in ({{ counted_categories() }})

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

final as (

    select
        all_months.month,
        cast(extract(year from all_months.month) as bigint) as year,
        cast(extract(quarter from all_months.month) as bigint) as quarter,
        all_months.is_closed,
        case
            when all_months.is_closed
                then cast({{ add_months('all_months.month', 1) }} as timestamp)
        end as closed_at
    from all_months

)

select * from final
