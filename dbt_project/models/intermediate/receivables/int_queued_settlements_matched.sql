{{ config(materialized='view') }}

with events as (

    select * from {{ ref('int_settlement_events_ordered') }}
    where settlement_method = 'queued'

),

-- Bills and money each laid end to end, the oldest first: where a stretch of money lies
-- beside a stretch of bill, it settles it.
invoices as (

    select
        account_id,
        currency,
        event_id as invoice_id,
        event_number,
        amount,
        sum(amount) over (
            partition by account_id, currency order by event_number
        ) as ends_at,
        event_on as issued_on
    from events
    where event_kind = 'invoice' and amount > 0

),

money as (

    select
        account_id,
        currency,
        event_kind as source_kind,
        event_id as source_id,
        event_number,
        abs(amount) as amount,
        sum(abs(amount)) over (
            partition by account_id, currency order by event_number
        ) as ends_at,
        event_on as received_on
    from events
    where event_kind <> 'invoice'

),

matched as (

    select
        invoices.account_id,
        invoices.currency,
        invoices.invoice_id,
        money.source_kind,
        money.source_id,
        least(invoices.ends_at, money.ends_at) - greatest(
            invoices.ends_at - invoices.amount, money.ends_at - money.amount
        ) as amount,
        money.received_on,
        invoices.issued_on,
        invoices.event_number < money.event_number as is_direct
    from invoices
    inner join money
        on
            invoices.account_id = money.account_id
            and invoices.currency = money.currency
            and invoices.ends_at > money.ends_at - money.amount
            and money.ends_at > invoices.ends_at - invoices.amount

),

settled_at_once as (

    select
        source_kind,
        source_id,
        sum(amount) as amount
    from matched
    where is_direct
    group by source_kind, source_id

),

legs as (

    select 1 as leg
    union all
    select 2 as leg

),

movements as (

    select
        account_id,
        currency,
        invoice_id,
        source_kind,
        source_id,
        amount,
        received_on as settled_on
    from matched
    where is_direct
    union all
    -- What finds no open bill is credit on account ...
    select
        money.account_id,
        money.currency,
        cast(null as varchar) as invoice_id,
        money.source_kind,
        money.source_id,
        money.amount - coalesce(settled_at_once.amount, 0) as amount,
        money.received_on as settled_on
    from money
    left join settled_at_once
        on
            money.source_kind = settled_at_once.source_kind
            and money.source_id = settled_at_once.source_id
    where money.amount > coalesce(settled_at_once.amount, 0)
    union all
    -- ... until the next bill is issued: it leaves the credit and settles the bill.
    select
        matched.account_id,
        matched.currency,
        case when legs.leg = 2 then matched.invoice_id end as invoice_id,
        matched.source_kind,
        matched.source_id,
        case
            when legs.leg = 2 then matched.amount
            else -matched.amount
        end as amount,
        matched.issued_on as settled_on
    from matched
    cross join legs
    where not matched.is_direct

)

select
    account_id,
    currency,
    invoice_id,
    source_kind,
    source_id,
    cast(amount as decimal(18, 2)) as amount,
    settled_on
from movements
