{{ config(materialized='by_month') }}
with invoices as (

    select * from {{ ref('int_invoices_counted') }}
    where {{ is_needed('billing_month_number') }}

),

charges as (

    select * from {{ ref('int_charges_summed') }}
    where {{ is_needed('month_number') }}

),

billed as (

    select
        customer_id,
        billing_month as month,
        billing_month_number as month_number,
        {{ sum_money('billed_amount') }} as billed_amount
    from invoices
    group by customer_id, billing_month, billing_month_number

),

earned as (

    select
        customer_id,
        month_number,
        {{ sum_money('revenue') }} as revenue
    from charges
    group by customer_id, month_number

),

-- Every counted invoice has at least one line: both have the same customer-months.
final as (

    select
        billed.customer_id,
        billed.month,
        billed.month_number,
        earned.revenue,
        billed.billed_amount
    from billed
    inner join earned
        on
            billed.customer_id = earned.customer_id
            and billed.month_number = earned.month_number

)

select * from final
