with invoices as (

    select * from {{ ref('int_invoices_receivable') }}

),

payments as (

    select * from {{ ref('int_payments_directed') }}

),

settlements as (

    select * from {{ ref('int_settlements_allocated') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

feeds_covered as (

    select * from {{ ref('int_feeds_covered') }}

),

-- Left side of the identity from what was delivered, right side from the settlement.
changes as (

    select
        currency,
        issued_month_number as month_number,
        total_amount as billed_amount,
        0 as paid_amount,
        case when total_amount > 0 then total_amount else 0 end as outstanding_amount,
        0 as credit_on_account
    from invoices
    union all
    select
        currency,
        {{ month_number('paid_on') }} as month_number,
        0 as billed_amount,
        amount as paid_amount,
        0 as outstanding_amount,
        0 as credit_on_account
    from payments
    union all
    select
        currency,
        {{ month_number('settled_on') }} as month_number,
        0 as billed_amount,
        0 as paid_amount,
        case when invoice_id is not null then -amount else 0 end as outstanding_amount,
        case when invoice_id is null then amount else 0 end as credit_on_account
    from settlements

),

changes_summed as (

    select
        currency,
        month_number,
        {{ sum_money('billed_amount') }} as billed_amount,
        {{ sum_money('paid_amount') }} as paid_amount,
        {{ sum_money('outstanding_amount') }} as outstanding_amount,
        {{ sum_money('credit_on_account') }} as credit_on_account
    from changes
    group by currency, month_number

),

currencies as (

    select
        currency,
        min(month_number) as first_month_number
    from changes_summed
    group by currency

),

currency_months as (

    select
        currencies.currency,
        months.month,
        months.month_number
    from currencies
    inner join months on currencies.first_month_number <= months.month_number
    inner join feeds_covered
        on
            feeds_covered.feed = 'payments'
            and months.month_number >= feeds_covered.first_month_number

),

final as (

    select
        currency_months.currency,
        currency_months.month,
        {{ sum_money('changes_summed.billed_amount') }} as billed_amount,
        {{ sum_money('changes_summed.paid_amount') }} as paid_amount,
        {{ sum_money('changes_summed.outstanding_amount') }} as outstanding_amount,
        {{ sum_money('changes_summed.credit_on_account') }} as credit_on_account
    from currency_months
    inner join changes_summed
        on
            currency_months.currency = changes_summed.currency
            and currency_months.month_number >= changes_summed.month_number
    group by currency_months.currency, currency_months.month

)

select * from final
