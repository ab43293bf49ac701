{{ config(
    materialized='by_month',
    month='greatest(billing_month, issued_on, last_moved_on)',
    key='invoice_id',
    in_parts=false,
) }}
with settlements as (

    select * from {{ ref('int_settlements_allocated') }}
    where invoice_id is not null

),

invoices as (

    select * from {{ ref('int_invoices_receivable') }}
    where
        {{ is_replaced(
            is_needed('billing_month') ~ ' or ' ~ is_needed('issued_on')
            ~ ' or invoice_id in (select invoice_id from settlements where '
            ~ is_needed('settled_on') ~ ')'
        ) }}

),

invoices_moved as (

    select
        settlements.invoice_id,
        cast(sum(settlements.amount) as decimal(18, 2)) as settled_amount,
        count(*) as movement_count,
        max(settlements.settled_on) as last_moved_on
    from settlements
    {%- if first_rebuilt_month() %}
    inner join invoices on settlements.invoice_id = invoices.invoice_id
    {%- endif %}
    group by settlements.invoice_id

),

-- A bill without a positive total owes nothing: it is money, not a debt.
balanced as (

    select
        invoices.*,
        coalesce(invoices_moved.settled_amount, 0) as settled_amount,
        case
            when invoices.total_amount > 0
                then invoices.total_amount - coalesce(invoices_moved.settled_amount, 0)
            else 0
        end as outstanding_amount,
        coalesce(invoices_moved.movement_count, 0) as movement_count,
        invoices_moved.last_moved_on
    from invoices
    left join invoices_moved on invoices.invoice_id = invoices_moved.invoice_id

),

final as (

    select
        invoice_id,
        account_id,
        customer_id,
        payment_mode,
        currency,
        billing_month_number,
        issued_month_number,
        due_month_number,
        total_amount,
        billed_amount,
        cast(settled_amount as decimal(18, 2)) as settled_amount,
        cast(outstanding_amount as decimal(18, 2)) as outstanding_amount,
        movement_count,
        coalesce(outstanding_amount = 0 and last_moved_on <= due_on, false)
            as is_settled_on_time,
        billing_month,
        issued_on,
        due_on,
        last_moved_on,
        case when outstanding_amount = 0 then last_moved_on end as settled_on
    from balanced

)

select * from final
