{{ config(
    materialized='by_month',
    month='coalesce(month_to_number, month_from_number)',
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

invoices_moved_often as (

    select * from invoices_followed
    where movement_count > 1

),

-- A bill that moved at most once tells its states itself: open, then moved.
states_of_others as (

    select
        invoice_id,
        issued_month_number as month_from_number,
        {{ month_number('last_moved_on') }} as month_to_number,
        cast(0 as decimal(18, 2)) as settled_amount,
        cast(0 as decimal(18, 2)) as on_time_amount,
        cast(null as date) as last_moved_on
    from invoices_followed
    where
        movement_count = 0
        or (
            movement_count = 1
            and {{ month_number('last_moved_on') }} > issued_month_number
        )
    union all
    select
        invoice_id,
        {{ month_number('last_moved_on') }} as month_from_number,
        cast(null as bigint) as month_to_number,
        settled_amount,
        case when last_moved_on <= due_on then settled_amount else 0 end
            as on_time_amount,
        last_moved_on
    from invoices_followed
    where movement_count = 1

),

-- An undo counts with what it undoes: money that came in time and went back never came.
changes as (

    select
        invoices_moved_often.invoice_id,
        {{ month_number('settlements.settled_on') }} as month_number,
        settlements.amount,
        case
            when
                coalesce(settlements.undoes_settled_on, settlements.settled_on)
                <= invoices_moved_often.due_on
                then settlements.amount
            else 0
        end as on_time_amount,
        settlements.settled_on
    from invoices_moved_often
    inner join settlements on invoices_moved_often.invoice_id = settlements.invoice_id
    union all
    select
        invoice_id,
        issued_month_number as month_number,
        0 as amount,
        0 as on_time_amount,
        cast(null as date) as settled_on
    from invoices_moved_often

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

states as (

    select * from accumulated
    union all
    select * from states_of_others

),

-- Once it is closed, a bill settled in time tells nothing more.
final as (

    select
        states.invoice_id,
        invoices_followed.customer_id,
        invoices_followed.payment_mode,
        invoices_followed.currency,
        states.month_from_number,
        states.month_to_number,
        invoices_followed.due_month_number,
        invoices_followed.billed_amount,
        states.on_time_amount,
        cast(
            invoices_followed.total_amount - states.settled_amount
            as decimal(18, 2)
        ) as outstanding_amount,
        invoices_followed.is_settled_on_time,
        invoices_followed.billing_month,
        invoices_followed.due_on,
        case
            when states.settled_amount = invoices_followed.total_amount
                then states.last_moved_on
        end as settled_on
    from states
    inner join invoices_followed
        on states.invoice_id = invoices_followed.invoice_id
    where
        states.settled_amount < invoices_followed.total_amount
        or not invoices_followed.is_settled_on_time

)

select * from final
