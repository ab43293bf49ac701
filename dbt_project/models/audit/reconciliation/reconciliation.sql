{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['run_id', 'control'],
        on_schema_change='fail',
        pre_hook="{{ remove_rows_of_unrecorded_runs(this) }}",
    )
}}

-- depends_on: {{ ref('stg_control__finished_runs') }}
with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- What was delivered, read from the deduplicated feeds and nothing built on them.
delivered_revenue as (

    select * from {{ ref('int_delivered_revenue_totalled') }}

),

fct_revenue_monthly as (

    select * from {{ ref('fct_revenue_monthly') }}

),

fct_revenue_movement as (

    select * from {{ ref('fct_revenue_movement') }}

),

customer_monthly as (

    select * from {{ ref('customer_monthly') }}

),

region_summary_monthly as (

    select * from {{ ref('region_summary_monthly') }}

),

receivables as (

    select * from {{ ref('int_receivables_balanced') }}

),

loads as (

    select * from {{ ref('stg_control__loads') }}

),

revenue_in_marts as (

    select {{ sum_money('revenue') }} as revenue
    from fct_revenue_monthly

),

revenue_of_closing_month as (

    select {{ sum_money('fct_revenue_monthly.revenue') }} as revenue
    from fct_revenue_monthly
    inner join settings on fct_revenue_monthly.month = settings.closing_month

),

customers_summed as (

    select
        coalesce({{ sum_money('revenue') }}, 0) as revenue,
        coalesce({{ sum_money('billed_amount') }}, 0) as billed_amount
    from customer_monthly

),

group_summed as (

    select coalesce({{ sum_money('revenue') }}, 0) as revenue
    from region_summary_monthly
    where region_level = 'group'

),

movements_summed as (

    select coalesce({{ sum_money('change') }}, 0) as change
    from fct_revenue_movement

),

controls as (

    select
        'revenue_delivered' as control,
        delivered_revenue.revenue as source_total,
        coalesce(revenue_in_marts.revenue, 0)
        + delivered_revenue.revenue_without_customer as warehouse_total
    from delivered_revenue
    cross join revenue_in_marts
    union all
    select
        'billed_delivered' as control,
        delivered_revenue.billed_amount as source_total,
        customers_summed.billed_amount
        + delivered_revenue.billed_without_customer as warehouse_total
    from delivered_revenue
    cross join customers_summed
    union all
    select
        'revenue_by_customer' as control,
        coalesce(revenue_in_marts.revenue, 0) as source_total,
        customers_summed.revenue as warehouse_total
    from revenue_in_marts
    cross join customers_summed
    union all
    select
        'revenue_by_region' as control,
        customers_summed.revenue as source_total,
        group_summed.revenue as warehouse_total
    from customers_summed
    cross join group_summed
    union all
    select
        'revenue_movement' as control,
        coalesce(revenue_of_closing_month.revenue, 0) as source_total,
        movements_summed.change as warehouse_total
    from revenue_of_closing_month
    cross join movements_summed
    union all
    select
        'receivables_' || receivables.currency as control,
        receivables.billed_amount - receivables.paid_amount as source_total,
        receivables.outstanding_amount
        - receivables.credit_on_account as warehouse_total
    from receivables
    inner join settings on receivables.month = settings.closing_month
    union all
    select
        'rows_loaded' as control,
        cast(coalesce(sum(rows_in_file), 0) as decimal(18, 4)) as source_total,
        cast(
            coalesce(sum(rows_loaded + rows_quarantined + rows_duplicate), 0)
            as decimal(18, 4)
        ) as warehouse_total
    from loads
    where status = 'loaded'

),

-- Money and rows tie exactly: no control has any tolerance.
final as (

    select
        settings.run_id,
        controls.control,
        cast(controls.source_total as decimal(18, 4)) as source_total,
        cast(controls.warehouse_total as decimal(18, 4)) as warehouse_total,
        cast(controls.source_total - controls.warehouse_total as decimal(18, 4))
            as difference,
        cast(0 as decimal(18, 4)) as tolerance,
        coalesce(controls.source_total = controls.warehouse_total, false) as passed
    from controls
    cross join settings

)

select * from final
