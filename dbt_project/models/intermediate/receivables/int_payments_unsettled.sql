{{ config(materialized='view') }}
{%- set begin = settlement_begin() %}

with payments as (

    select * from {{ ref('int_payments_directed') }}
    where {{ 'paid_on >= ' ~ begin if begin else 'true' }}

),

carried as (

    select * from {{ ref('int_settlement_items_carried') }}
    where event_kind = 'payment'

),

final as (

    select
        account_id,
        currency,
        payment_id,
        invoice_id,
        amount,
        paid_on
    from payments
    union all
    select
        account_id,
        currency,
        event_id as payment_id,
        named_invoice_id as invoice_id,
        amount,
        event_on as paid_on
    from carried

)

select * from final
