with accounts as (

    select * from {{ ref('int_receivable_accounts_classified') }}
    where settlement_method <> 'named'

),

invoices as (

    select * from {{ ref('int_invoices_unsettled') }}

),

payments as (

    select * from {{ ref('int_payments_unsettled') }}

),

-- Rulebook 4: on one day bills before payments, positive before negative, then id.
events as (

    select
        account_id,
        currency,
        case when total_amount < 0 then 'credit_note' else 'invoice' end as event_kind,
        invoice_id as event_id,
        cast(null as varchar) as named_invoice_id,
        case when total_amount < 0 then 2 else 1 end as rank_in_day,
        total_amount as amount,
        issued_on as event_on,
        due_on
    from invoices
    union all
    select
        account_id,
        currency,
        'payment' as event_kind,
        payment_id as event_id,
        invoice_id as named_invoice_id,
        case when amount < 0 then 4 else 3 end as rank_in_day,
        amount,
        paid_on as event_on,
        cast(null as date) as due_on
    from payments

),

final as (

    select
        events.account_id,
        events.currency,
        accounts.settlement_method,
        events.event_kind,
        events.event_id,
        events.named_invoice_id,
        row_number() over (
            partition by events.account_id, events.currency
            order by events.event_on, events.rank_in_day, events.event_id
        ) as event_number,
        events.amount,
        events.event_on,
        events.due_on
    from events
    inner join accounts
        on
            events.account_id = accounts.account_id
            and events.currency = accounts.currency

)

select * from final
