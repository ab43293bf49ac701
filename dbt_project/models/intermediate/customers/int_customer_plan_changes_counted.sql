with subscription_versions as (

    select * from {{ ref('int_subscriptions_deduplicated') }}
    where plan_code is not null

),

owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

-- The plan the subscription had before; the first one known is no change.
plans_compared as (

    select
        account_id,
        plan_code,
        {{ month_number('updated_at') }} as month_number,
        lag(plan_code) over (
            partition by subscription_id order by updated_at
        ) as previous_plan_code
    from subscription_versions

),

final as (

    select
        owners.customer_id,
        plans_compared.month_number,
        count(*) as plan_changes
    from plans_compared
    inner join owners
        on
            plans_compared.account_id = owners.account_id
            and plans_compared.month_number >= owners.month_from_number
            and plans_compared.month_number < owners.month_to_number
    where plans_compared.plan_code <> plans_compared.previous_plan_code
    group by owners.customer_id, plans_compared.month_number

)

select * from final
