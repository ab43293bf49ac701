{#-
    What the months that stay as they are leave to the settlement of those after them;
    empty where the settlement begins with the first bill. Where money goes depends on
    what is open, bills and money, and on nothing that is closed: so these enter with
    what is left of them. Two things do look at closed bills: money taken back, and money
    that names one. Their accounts are settled from the first bill on.
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
        account_id,
        currency,
        invoice_id,
        total_amount,
        issued_on,
        due_on
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
        invoices_in_question.account_id,
        invoices_in_question.currency,
        invoices_in_question.invoice_id,
        invoices_in_question.total_amount - coalesce(invoices_moved.amount, 0)
            as amount,
        invoices_in_question.issued_on,
        invoices_in_question.due_on
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

items_left as (

    select
        account_id,
        currency,
        'invoice' as event_kind,
        invoice_id as event_id,
        cast(null as varchar) as named_invoice_id,
        amount,
        issued_on as event_on,
        due_on
    from invoices_open
    union all
    select
        invoices.account_id,
        invoices.currency,
        credits.source_kind as event_kind,
        invoices.invoice_id as event_id,
        cast(null as varchar) as named_invoice_id,
        -credits.amount as amount,
        invoices.issued_on as event_on,
        invoices.due_on
    from credits
    inner join invoices on credits.source_id = invoices.invoice_id
    where credits.source_kind = 'credit_note'
    union all
    -- Money left is credit, or waits for its bill: a bill already issued is closed.
    select
        payments.account_id,
        payments.currency,
        credits.source_kind as event_kind,
        payments.payment_id as event_id,
        case when invoices.invoice_id is null then payments.invoice_id end
            as named_invoice_id,
        credits.amount,
        payments.paid_on as event_on,
        cast(null as date) as due_on
    from credits
    inner join payments on credits.source_id = payments.payment_id
    left join invoices on payments.invoice_id = invoices.invoice_id
    where credits.source_kind = 'payment'

),

final as (

    select
        items_left.account_id,
        items_left.currency,
        items_left.event_kind,
        items_left.event_id,
        items_left.named_invoice_id,
        cast(items_left.amount as decimal(18, 2)) as amount,
        items_left.event_on,
        items_left.due_on
    from items_left
    left join accounts_whole
        on
            items_left.account_id = accounts_whole.account_id
            and items_left.currency = accounts_whole.currency
    where accounts_whole.account_id is null
    union all
    select
        invoices.account_id,
        invoices.currency,
        case when invoices.total_amount < 0 then 'credit_note' else 'invoice' end
            as event_kind,
        invoices.invoice_id as event_id,
        cast(null as varchar) as named_invoice_id,
        invoices.total_amount as amount,
        invoices.issued_on as event_on,
        invoices.due_on
    from invoices
    inner join accounts_whole
        on
            invoices.account_id = accounts_whole.account_id
            and invoices.currency = accounts_whole.currency
    union all
    select
        payments.account_id,
        payments.currency,
        'payment' as event_kind,
        payments.payment_id as event_id,
        payments.invoice_id as named_invoice_id,
        payments.amount,
        payments.paid_on as event_on,
        cast(null as date) as due_on
    from payments
    inner join accounts_whole
        on
            payments.account_id = accounts_whole.account_id
            and payments.currency = accounts_whole.currency
    where payments.paid_on < {{ begin }}

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
