{{ config(materialized='view') }}
{%- set begin = settlement_begin() %}

with invoices as (

    select * from {{ ref('int_invoices_receivable') }}
    where {{ 'issued_on >= ' ~ begin if begin else 'true' }}

),

carried as (

    select * from {{ ref('int_settlement_items_carried') }}
    where event_kind <> 'payment'

),

final as (

    select
        account_id,
        currency,
        invoice_id,
        total_amount,
        issued_on,
        due_on
    from invoices
    union all
    select
        account_id,
        currency,
        event_id as invoice_id,
        amount as total_amount,
        event_on as issued_on,
        due_on
    from carried

)

select * from final
