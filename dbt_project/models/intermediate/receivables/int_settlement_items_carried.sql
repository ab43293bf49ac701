{#-
    What the months that stay as they are leave to the settlement of those after them; empty
    where the settlement begins with the first bill. Where money goes depends on what is
    open, bills and money, and on nothing that is closed: so these enter with what is left
    of them. Two things do look at closed bills: money taken back, and money that names one.
    Their accounts are settled from the first bill on.
-#}
{%- set begin = settlement_begin() -%}
with invoices as (

    select * from {{ ref('int_invoices_receivable') }}
    where {{ 'issued_on < ' ~ begin if begin else 'false' }}

),

payments as (

    select * from {{ ref('int_payments_directed') }}
    where {{ 'true' if begin else 'false' }}

),

{% if begin -%}
movements as (

    select * from {{ built_before('int_settlements_allocated') }}
    where settled_on < {{ begin }}

),

-- Open on that day is what is open now, or was settled since.
invoices_in_question as (

    select
        invoice_id,
        total_amount
    from {{ built_before('int_invoices_settled') }}
    where
        issued_on < {{ begin }}
        and total_amount > 0
        and (outstanding_amount > 0 or last_moved_on >= {{ begin }})

),

invoices_moved as (

    select
        movements.invoice_id,
        sum(movements.amount) as amount
    from movements
    inner join invoices_in_question
        on movements.invoice_id = invoices_in_question.invoice_id
    group by movements.invoice_id

),

invoices_open as (

    select
        invoices_in_question.invoice_id,
        invoices_in_question.total_amount - coalesce(invoices_moved.amount, 0) as amount
    from invoices_in_question
    left join invoices_moved
        on invoices_in_question.invoice_id = invoices_moved.invoice_id
    where invoices_in_question.total_amount > coalesce(invoices_moved.amount, 0)

),

credits as (

    select
        account_id,
        currency,
        source_kind,
        source_id,
        sum(amount) as amount
    from movements
    where invoice_id is null
    group by account_id, currency, source_kind, source_id
    having sum(amount) <> 0

),

accounts_reversed as (

    select
        account_id,
        currency,
        max(paid_on) as last_reversed_on
    from payments
    where amount < 0
    group by account_id, currency

),

-- Where money was taken back, what is left of which source cannot be told.
credits_reversed as (

    select
        credits.account_id,
        credits.currency
    from credits
    inner join accounts_reversed
        on
            credits.account_id = accounts_reversed.account_id
            and credits.currency = accounts_reversed.currency

),

payments_for_closed as (

    select
        payments.account_id,
        payments.currency
    from payments
    inner join invoices on payments.invoice_id = invoices.invoice_id
    left join invoices_open on payments.invoice_id = invoices_open.invoice_id
    where
        payments.paid_on >= {{ begin }}
        and invoices_open.invoice_id is null

),

accounts_whole as (

    select
        account_id,
        currency
    from accounts_reversed
    where last_reversed_on >= {{ begin }}
    union
    select * from credits_reversed
    union
    select * from payments_for_closed

),

items as (

    select
        invoices.account_id,
        invoices.currency,
        case when invoices.total_amount < 0 then 'credit_note' else 'invoice' end
            as event_kind,
        invoices.invoice_id as event_id,
        cast(null as varchar) as named_invoice_id,
        invoices.total_amount as amount,
        case
            when invoices.total_amount < 0 then -coalesce(credits.amount, 0)
            else coalesce(invoices_open.amount, 0)
        end as amount_left,
        invoices.issued_on as event_on,
        invoices.due_on
    from invoices
    left join invoices_open on invoices.invoice_id = invoices_open.invoice_id
    left join credits
        on
            invoices.invoice_id = credits.source_id
            and credits.source_kind = 'credit_note'
    union all
    -- Money still there is credit, or waits for a bill that is not issued yet.
    select
        payments.account_id,
        payments.currency,
        'payment' as event_kind,
        payments.payment_id as event_id,
        payments.invoice_id as named_invoice_id,
        payments.amount,
        coalesce(credits.amount, 0) as amount_left,
        payments.paid_on as event_on,
        cast(null as date) as due_on
    from payments
    left join credits
        on
            payments.payment_id = credits.source_id
            and credits.source_kind = 'payment'
    where payments.paid_on < {{ begin }}

),

-- The bill that money left over once named is closed.
final as (

    select
        items.account_id,
        items.currency,
        items.event_kind,
        items.event_id,
        case
            when accounts_whole.account_id is not null or invoices.invoice_id is null
                then items.named_invoice_id
        end as named_invoice_id,
        cast(
            case
                when accounts_whole.account_id is null then items.amount_left
                else items.amount
            end as decimal(18, 2)
        ) as amount,
        items.event_on,
        items.due_on
    from items
    left join accounts_whole
        on
            items.account_id = accounts_whole.account_id
            and items.currency = accounts_whole.currency
    left join invoices on items.named_invoice_id = invoices.invoice_id
    where
        items.amount_left <> 0
        or accounts_whole.account_id is not null

)

{% else -%}
final as (

    select
        account_id,
        currency,
        'invoice' as event_kind,
        invoice_id as event_id,
        cast(null as varchar) as named_invoice_id,
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
        amount,
        paid_on as event_on,
        cast(null as date) as due_on
    from payments

)

{% endif -%}
select * from final
