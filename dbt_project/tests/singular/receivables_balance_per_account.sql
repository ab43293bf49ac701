-- Accounts, currencies and months in which what was billed and paid is not what the
-- settlement moved: Σ billed − Σ paid = Σ outstanding − credit, at every month end.
with changes as (

    select
        account_id,
        currency,
        issued_month_number as month_number,
        case when total_amount < 0 then -total_amount else 0 end as money_in,
        0 as money_moved
    from {{ ref('int_invoices_receivable') }}
    union all
    select
        account_id,
        currency,
        {{ month_number('paid_on') }} as month_number,
        amount as money_in,
        0 as money_moved
    from {{ ref('int_payments_directed') }}
    union all
    select
        account_id,
        currency,
        {{ month_number('settled_on') }} as month_number,
        0 as money_in,
        amount as money_moved
    from {{ ref('int_settlements_allocated') }}

)

select
    account_id,
    currency,
    month_number,
    sum(money_in) as money_in,
    sum(money_moved) as money_moved
from changes
group by account_id, currency, month_number
having sum(money_in) <> sum(money_moved)
