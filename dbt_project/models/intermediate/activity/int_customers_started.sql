with subscriptions as (

    select * from {{ ref('int_subscriptions_owned') }}

),

invoices as (

    select * from {{ ref('int_invoices_counted') }}

),

starts as (

    select
        customer_id,
        min(active_from_number) as first_activation_number,
        cast(null as bigint) as first_billing_number
    from subscriptions
    group by customer_id
    union all
    select
        customer_id,
        cast(null as bigint) as first_activation_number,
        min(billing_month_number) as first_billing_number
    from invoices
    group by customer_id

),

combined as (

    select
        customer_id,
        min(first_activation_number) as first_activation_number,
        min(first_billing_number) as first_billing_number
    from starts
    group by customer_id

),

dated as (

    select
        combined.*,
        case
            when combined.first_billing_number < combined.first_activation_number
                then combined.first_billing_number
            else coalesce(
                combined.first_activation_number, combined.first_billing_number
            )
        end as first_active_month_number
    from combined

),

final as (

    select
        customer_id,
        first_activation_number,
        first_billing_number,
        first_active_month_number,
        {{ month_of_number('first_active_month_number') }} as first_active_month
    from dated

)

select * from final
