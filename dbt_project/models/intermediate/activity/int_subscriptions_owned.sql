with subscriptions as (

    select * from {{ ref('int_subscriptions_latest') }}

),

owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

-- A day within a month counts for that month's end: activated on or before it, gone
-- when deactivated on or before it. A deactivation before the activation ends at once.
numbered as (

    select
        subscription_id,
        account_id,
        product_code,
        deactivated_on,
        deactivation_reason,
        {{ month_number('activated_on') }} as activated_number,
        case
            when deactivated_on is null then {{ open_month_number() }}
            else greatest(
                {{ month_number('activated_on') }}, {{ month_number('deactivated_on') }}
            )
        end as deactivated_number
    from subscriptions

),

held as (

    select
        numbered.*,
        owners.customer_id,
        owners.month_from_number as owned_from_number,
        owners.month_to_number as owned_to_number,
        greatest(numbered.activated_number, owners.month_from_number)
            as active_from_number,
        least(numbered.deactivated_number, owners.month_to_number) as active_to_number
    from numbered
    inner join owners on numbered.account_id = owners.account_id

),

-- An owner holds a subscription that began under it or that it took over alive; one
-- that ended before the account was taken over stays with the owner before.
final as (

    select
        subscription_id,
        account_id,
        customer_id,
        product_code,
        active_from_number,
        active_to_number,
        case
            when deactivated_number < owned_to_number then deactivated_on
        end as deactivated_on,
        case
            when deactivated_number < owned_to_number then deactivation_reason
        end as deactivation_reason
    from held
    where
        active_from_number < active_to_number
        or (
            activated_number >= owned_from_number
            and activated_number < owned_to_number
        )

)

select * from final
