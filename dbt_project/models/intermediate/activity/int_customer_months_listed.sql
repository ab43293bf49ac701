{{ config(materialized='by_month') }}
with months as (

    select * from {{ ref('int_months_numbered') }}
    where {{ is_needed('month_number') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters(['row_months_after_leaving']) }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

activity as (

    select * from {{ ref('int_customer_activity_ranged') }}

),

starts as (

    select * from {{ ref('int_customers_started') }}

),

invoices as (

    select * from {{ ref('int_invoices_counted') }}
    where {{ is_needed('billing_month_number') }}

),

payments as (

    select * from {{ ref('int_customer_payments_summed') }}
    where {{ is_needed('month_number') }}

),

receivables as (

    select * from {{ ref('int_customer_receivables_graded') }}
    where {{ is_needed('month_number') }}

),

-- The months that count by activity alone; the stretches of a customer never overlap.
-- A customer billed before it ever had a subscription counts from its first bill.
stretches as (

    select
        activity.customer_id,
        activity.month_from_number,
        case
            when activity.active_subscriptions > 0 then activity.month_to_number
            else least(
                activity.month_to_number,
                activity.inactive_since_number + parameters.row_months_after_leaving + 1
            )
        end as month_to_number
    from activity
    cross join parameters
    union all
    select
        customer_id,
        first_billing_number as month_from_number,
        coalesce(first_activation_number, {{ open_month_number() }}) as month_to_number
    from starts
    where
        first_activation_number is null
        or first_billing_number < first_activation_number

),

-- Money keeps a customer in view however long ago it left.
months_with_money as (

    select
        customer_id,
        billing_month_number as month_number
    from invoices
    union all
    select
        customer_id,
        month_number
    from payments
    union all
    select
        customer_id,
        month_number
    from receivables
    where has_open_balance

),

months_beyond_stretches as (

    select distinct
        months_with_money.customer_id,
        months_with_money.month_number
    from months_with_money
    left join stretches
        on
            months_with_money.customer_id = stretches.customer_id
            and months_with_money.month_number >= stretches.month_from_number
            and months_with_money.month_number < stretches.month_to_number
    where stretches.customer_id is null

),

published as (

    select
        stretches.customer_id,
        months.month,
        months.month_number
    from stretches
    inner join months
        on
            stretches.month_from_number <= months.month_number
            and stretches.month_to_number > months.month_number
    union all
    select
        months_beyond_stretches.customer_id,
        months.month,
        months.month_number
    from months_beyond_stretches
    inner join months on months_beyond_stretches.month_number = months.month_number

),

-- Prospects and customers long gone: their attributes at the closing month are needed
-- too, though no monthly mart shows them.
unpublished as (

    select
        customers.customer_id,
        settings.closing_month as month,
        {{ month_number('settings.closing_month') }} as month_number
    from customers
    cross join settings
    left join published
        on
            customers.customer_id = published.customer_id
            and settings.closing_month = published.month
    where published.customer_id is null

),

final as (

    select
        customer_id,
        month,
        month_number,
        true as is_published
    from published
    union all
    select
        customer_id,
        month,
        month_number,
        false as is_published
    from unpublished

)

select * from final
