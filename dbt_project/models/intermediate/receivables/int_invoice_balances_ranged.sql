{{ config(
    materialized='by_month',
    month='month_from_number',
    key='invoice_id',
    in_parts=false,
) }}
with invoices as (

    select * from {{ ref('int_invoices_settled') }}
    where
        {{ is_replaced(
            is_needed('billing_month') ~ ' or ' ~ is_needed('issued_on')
            ~ ' or ' ~ is_needed('last_moved_on')
        ) }}

),

settlements as (

    select * from {{ ref('int_settlements_allocated') }}

),

-- Most bills are settled in the month they are issued, in time: no month end sees them
-- open and no delay is theirs, so they need no range.
invoices_followed as (

    select * from invoices
    where
        total_amount > 0
        and (
            outstanding_amount > 0
            or {{ month_number('last_moved_on') }} > issued_month_number
            or last_moved_on > due_on
        )

),

-- An undo counts with what it undoes: money that came in time and went back never came.
changes as (

    select
        invoices_followed.invoice_id,
        {{ month_number('settlements.settled_on') }} as month_number,
        settlements.amount,
        case
            when
                coalesce(settlements.undoes_settled_on, settlements.settled_on)
                <= invoices_followed.due_on
                then settlements.amount
            else 0
        end as on_time_amount,
        settlements.settled_on
    from invoices_followed
    inner join settlements on invoices_followed.invoice_id = settlements.invoice_id
    union all
    select
        invoice_id,
        issued_month_number as month_number,
        0 as amount,
        0 as on_time_amount,
        cast(null as date) as settled_on
    from invoices_followed

),

months_changed as (

    select
        invoice_id,
        month_number,
        cast(sum(amount) as decimal(18, 2)) as amount,
        cast(sum(on_time_amount) as decimal(18, 2)) as on_time_amount,
        max(settled_on) as settled_on
    from changes
    group by invoice_id, month_number

),

accumulated as (

    select
        invoice_id,
        month_number as month_from_number,
        lead(month_number) over (
            partition by invoice_id order by month_number
        ) as month_to_number,
        cast(
            sum(amount) over (
                partition by invoice_id order by month_number
            ) as decimal(18, 2)
        ) as settled_amount,
        cast(
            sum(on_time_amount) over (
                partition by invoice_id order by month_number
            ) as decimal(18, 2)
        ) as on_time_amount,
        max(settled_on) over (
            partition by invoice_id order by month_number
        ) as last_moved_on
    from months_changed

),

final as (

    select
        accumulated.invoice_id,
        invoices_followed.customer_id,
        invoices_followed.payment_mode,
        invoices_followed.currency,
        accumulated.month_from_number,
        accumulated.month_to_number,
        invoices_followed.due_month_number,
        invoices_followed.billed_amount,
        accumulated.on_time_amount,
        cast(
            invoices_followed.total_amount - accumulated.settled_amount
            as decimal(18, 2)
        ) as outstanding_amount,
        invoices_followed.is_settled_on_time,
        invoices_followed.billing_month,
        invoices_followed.due_on,
        case
            when accumulated.settled_amount = invoices_followed.total_amount
                then accumulated.last_moved_on
        end as settled_on
    from accumulated
    inner join invoices_followed
        on accumulated.invoice_id = invoices_followed.invoice_id

)

select * from final
