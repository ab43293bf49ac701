{{ config(materialized='by_month') }}
with balances as (

    select * from {{ ref('int_invoice_balances_ranged') }}
    where {{ is_range_needed('month_from_number', 'month_to_number') }}

),

invoices as (

    select * from {{ ref('int_invoices_settled') }}
    where {{ is_needed('due_month_number', parameter_value('credit_window_months')) }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

feeds_covered as (

    select * from {{ ref('int_feeds_covered') }}

),

exchange_rates as (

    select * from {{ ref('int_exchange_rates_completed') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

credit_window as (

    select cast(value as bigint) as window_months
    from {{ ref('parameters') }}
    where name = 'credit_window_months'

),

bounds as (

    select
        max(case when grade = 'good' then min_on_time_ratio end) as good_ratio,
        max(case when grade = 'good' then max_days_past_due end) as good_days,
        max(case when grade = 'average' then min_on_time_ratio end) as average_ratio,
        max(case when grade = 'average' then max_days_past_due end) as average_days
    from {{ ref('credit_grades') }}

),

-- Before the first payments nobody knows what is owed.
months_known as (

    select months.*
    from months
    inner join feeds_covered
        on
            feeds_covered.feed = 'payments'
            and months.month_number >= feeds_covered.first_month_number
    where {{ is_needed('months.month_number') }}

),

-- A bill stays in the base for the window of its due month, and while it is open.
invoice_months as (

    select
        balances.*,
        months_known.month,
        months_known.month_number,
        months_known.month_end,
        balances.payment_mode = 'postpaid'
        and not balances.is_settled_on_time
        and months_known.month_number >= balances.due_month_number as is_in_base
    from balances
    cross join credit_window
    inner join months_known
        on
            balances.month_from_number <= months_known.month_number
            and coalesce(balances.month_to_number, {{ open_month_number() }})
            > months_known.month_number
            and (
                balances.outstanding_amount > 0
                or months_known.month_number
                < balances.due_month_number + credit_window.window_months
            )

),

invoice_months_converted as (

    select
        invoice_months.customer_id,
        invoice_months.month_number,
        case
            when invoice_months.outstanding_amount = 0 then 0
            else {{ convert_money(
                'invoice_months.outstanding_amount',
                'invoice_months.currency',
                'month_rates.cny_per_unit',
                'settings.reporting_currency',
                'month_rates.reporting_cny_per_unit',
            ) }}
        end as outstanding_amount,
        invoice_months.payment_mode = 'postpaid'
        and invoice_months.due_on < invoice_months.month_end as is_overdue,
        invoice_months.outstanding_amount > 0 as is_open,
        invoice_months.is_in_base,
        invoice_months.billed_amount as due_amount,
        case
            when invoice_months.on_time_amount = 0 then 0
            else {{ convert_money(
                'invoice_months.on_time_amount',
                'invoice_months.currency',
                'billing_rates.cny_per_unit',
                'settings.reporting_currency',
                'billing_rates.reporting_cny_per_unit',
            ) }}
        end as on_time_amount,
        {{ days_between(
            'invoice_months.due_on',
            'coalesce(invoice_months.settled_on, invoice_months.month_end)',
        ) }} as days_past_due
    from invoice_months
    cross join settings
    left join exchange_rates as month_rates
        on
            invoice_months.month = month_rates.month
            and invoice_months.currency = month_rates.currency
    left join exchange_rates as billing_rates
        on
            invoice_months.billing_month = billing_rates.month
            and invoice_months.currency = billing_rates.currency

),

-- Bills paid in time look the same from every month of their window: summed by due
-- month first, then over the window, before what differs by month joins them.
due_months_paid_on_time as (

    select
        customer_id,
        due_month_number,
        {{ sum_money('billed_amount') }} as due_amount
    from invoices
    where payment_mode = 'postpaid' and is_settled_on_time
    group by customer_id, due_month_number

),

months_paid_on_time as (

    select
        due_months_paid_on_time.customer_id,
        months_known.month_number,
        {{ sum_money('due_months_paid_on_time.due_amount') }} as due_amount
    from due_months_paid_on_time
    cross join credit_window
    inner join months_known
        on
            due_months_paid_on_time.due_month_number <= months_known.month_number
            and due_months_paid_on_time.due_month_number + credit_window.window_months
            > months_known.month_number
    group by due_months_paid_on_time.customer_id, months_known.month_number

),

customer_month_parts as (

    select
        customer_id,
        month_number,
        outstanding_amount,
        case when is_overdue then outstanding_amount else 0 end as overdue_amount,
        is_open,
        is_in_base,
        case when is_in_base then due_amount else 0 end as due_amount,
        case when is_in_base then on_time_amount else 0 end as on_time_amount,
        case when is_in_base then greatest(days_past_due, 0) end as delay_days,
        case when is_open and is_overdue then days_past_due end as overdue_days
    from invoice_months_converted
    where is_open or is_in_base
    union all
    select
        customer_id,
        month_number,
        0 as outstanding_amount,
        0 as overdue_amount,
        false as is_open,
        true as is_in_base,
        due_amount,
        due_amount as on_time_amount,
        0 as delay_days,
        cast(null as bigint) as overdue_days
    from months_paid_on_time

),

customer_months as (

    select
        customer_id,
        month_number,
        {{ sum_money('outstanding_amount') }} as outstanding_amount,
        {{ sum_money('overdue_amount') }} as overdue_amount,
        {{ sum_money('due_amount') }} as due_amount,
        {{ sum_money('on_time_amount') }} as on_time_amount,
        max(delay_days) as longest_delay_days,
        max(overdue_days) as longest_overdue_days,
        max(case when is_open then 1 else 0 end) = 1 as has_open_balance
    from customer_month_parts
    group by customer_id, month_number

),

-- The ratio is compared as amounts, so that 0.95 is 0.95 and not its nearest float.
final as (

    select
        customer_months.customer_id,
        months_known.month,
        customer_months.month_number,
        customer_months.outstanding_amount,
        customer_months.overdue_amount,
        customer_months.due_amount,
        customer_months.on_time_amount,
        cast(customer_months.on_time_amount as double)
        / nullif(cast(customer_months.due_amount as double), 0) as on_time_ratio_12m,
        customer_months.longest_delay_days,
        customer_months.longest_overdue_days,
        case
            when customer_months.longest_delay_days is null then 'unknown'
            when
                customer_months.on_time_amount
                >= customer_months.due_amount * bounds.good_ratio
                and customer_months.longest_delay_days <= bounds.good_days
                then 'good'
            when
                customer_months.on_time_amount
                >= customer_months.due_amount * bounds.average_ratio
                and customer_months.longest_delay_days <= bounds.average_days
                then 'average'
            else 'poor'
        end as credit_grade,
        customer_months.has_open_balance
    from customer_months
    inner join months_known
        on customer_months.month_number = months_known.month_number
    cross join bounds

)

select * from final
