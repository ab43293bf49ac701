with subscription_versions as (

    select * from {{ ref('int_subscriptions_deduplicated') }}

),

account_versions as (

    select * from {{ ref('int_accounts_owned') }}

),

products as (

    select * from {{ ref('int_products_completed') }}

),

subscriptions_known as (

    {{ known_ranges('subscription_versions', 'subscription_id') }}

),

accounts_known as (

    {{ known_ranges('account_versions', 'account_id') }}

),

-- A subscription counts for the customer that was known to own its account, from the
-- month both were known.
held as (

    select
        accounts_known.customer_id,
        coalesce(products.product_code, 'UNKNOWN') as product_code,
        coalesce(products.product_family, 'unknown') as product_family,
        accounts_known.payment_mode = 'prepaid' as is_prepaid,
        {{ month_number('subscriptions_known.activated_on') }} as activated_number,
        case
            when subscriptions_known.deactivated_on is null
                then {{ open_month_number() }}
            else {{ month_number('subscriptions_known.deactivated_on') }}
        end as deactivated_number,
        greatest(
            subscriptions_known.month_from_number, accounts_known.month_from_number
        ) as known_from_number,
        least(
            subscriptions_known.month_to_number, accounts_known.month_to_number
        ) as known_to_number
    from subscriptions_known
    inner join accounts_known
        on
            subscriptions_known.account_id = accounts_known.account_id
            and subscriptions_known.month_from_number < accounts_known.month_to_number
            and subscriptions_known.month_to_number > accounts_known.month_from_number
    left join products on subscriptions_known.product_code = products.product_code

),

boundaries as (

    select
        customer_id,
        known_from_number as month_number
    from held
    union distinct
    select
        customer_id,
        known_to_number as month_number
    from held
    union distinct
    select
        customer_id,
        activated_number as month_number
    from held
    where activated_number > known_from_number and activated_number < known_to_number
    union distinct
    select
        customer_id,
        deactivated_number as month_number
    from held
    where
        deactivated_number > known_from_number
        and deactivated_number < known_to_number

),

ranges as (

    select
        customer_id,
        month_number as month_from_number,
        lead(month_number) over (
            partition by customer_id order by month_number
        ) as month_to_number
    from boundaries

),

-- Nothing changes inside a range, so what is known in its first month holds in all.
range_holdings as (

    select
        ranges.customer_id,
        ranges.month_from_number,
        ranges.month_to_number,
        held.activated_number,
        held.deactivated_number > ranges.month_from_number as is_active,
        held.product_code,
        held.product_family,
        held.is_prepaid
    from ranges
    inner join held
        on
            ranges.customer_id = held.customer_id
            and ranges.month_from_number >= held.known_from_number
            and ranges.month_from_number < held.known_to_number
            and ranges.month_from_number >= held.activated_number

),

final as (

    select
        customer_id,
        month_from_number,
        month_to_number,
        min(activated_number) as activated_number,
        count(distinct case when is_active then product_code end) as product_count,
        count(distinct case when is_active then product_family end) as family_count,
        min(case when is_active then (case when is_prepaid then 1 else 0 end) end)
            as is_prepaid
    from range_holdings
    group by customer_id, month_from_number, month_to_number

)

select * from final
