{{ config(materialized='by_month', month='settled_on', in_parts=false) }}
with named as (

    select * from {{ ref('int_named_settlements_matched') }}

),

queued as (

    select * from {{ ref('int_queued_settlements_matched') }}

),

sequenced as (

    select * from {{ ref('int_settlements_sequenced') }}

),

final as (

    select
        account_id,
        currency,
        invoice_id,
        source_kind,
        source_id,
        amount,
        settled_on,
        cast(null as date) as undoes_settled_on
    from named
    union all
    select
        account_id,
        currency,
        invoice_id,
        source_kind,
        source_id,
        amount,
        settled_on,
        cast(null as date) as undoes_settled_on
    from queued
    union all
    select
        account_id,
        currency,
        invoice_id,
        source_kind,
        source_id,
        cast(amount_cents * 0.01 as decimal(18, 2)) as amount,
        settled_on,
        undoes_settled_on
    from sequenced

)

select * from final
