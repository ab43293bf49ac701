with subscriptions as (

    select * from {{ ref('int_subscriptions_owned') }}
    where active_from_number < active_to_number

),

changes as (

    select
        account_id,
        customer_id,
        product_code,
        active_from_number as month_number,
        1 as change
    from subscriptions
    union all
    select
        account_id,
        customer_id,
        product_code,
        active_to_number as month_number,
        -1 as change
    from subscriptions

),

changes_summed as (

    select
        account_id,
        customer_id,
        product_code,
        month_number,
        sum(change) as change
    from changes
    group by account_id, customer_id, product_code, month_number
    having sum(change) <> 0

),

-- Counting from change to change needs a row per change, not one per month.
ranged as (

    select
        account_id,
        customer_id,
        product_code,
        month_number as month_from_number,
        lead(month_number, 1, {{ open_month_number() }}) over (
            partition by account_id, customer_id, product_code order by month_number
        ) as month_to_number,
        cast(sum(change) over (
            partition by account_id, customer_id, product_code
            order by month_number
            rows between unbounded preceding and current row
        ) as bigint) as active_subscriptions
    from changes_summed

),

final as (

    select * from ranged
    where active_subscriptions > 0

)

select * from final
