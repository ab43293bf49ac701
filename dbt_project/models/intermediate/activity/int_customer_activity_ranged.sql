with subscriptions as (

    select * from {{ ref('int_subscriptions_owned') }}

),

account_activity as (

    select * from {{ ref('int_account_activity_ranged') }}

),

products as (

    select * from {{ ref('int_products_completed') }}

),

-- A subscription gone within its month was never active at a month's end, yet it marks
-- the month: the customer left it then.
boundaries as (

    select
        customer_id,
        active_from_number as month_number
    from subscriptions
    union distinct
    select
        customer_id,
        active_to_number as month_number
    from subscriptions
    where active_to_number < {{ open_month_number() }}

),

ranges as (

    select
        customer_id,
        month_number as month_from_number,
        lead(month_number, 1, {{ open_month_number() }}) over (
            partition by customer_id order by month_number
        ) as month_to_number
    from boundaries

),

-- Nothing changes inside a range, so what holds in its first month holds in all of it.
counted as (

    select
        ranges.customer_id,
        ranges.month_from_number,
        ranges.month_to_number,
        cast(
            coalesce(sum(account_activity.active_subscriptions), 0) as bigint
        ) as active_subscriptions,
        count(distinct account_activity.account_id) as active_accounts,
        count(distinct account_activity.product_code) as products,
        count(distinct products.product_family) as product_families
    from ranges
    left join account_activity
        on
            ranges.customer_id = account_activity.customer_id
            and ranges.month_from_number >= account_activity.month_from_number
            and ranges.month_from_number < account_activity.month_to_number
    left join products on account_activity.product_code = products.product_code
    group by ranges.customer_id, ranges.month_from_number, ranges.month_to_number

),

related as (

    select
        counted.*,
        min(counted.month_from_number) over (
            partition by counted.customer_id
        ) as first_number,
        max(
            case when counted.active_subscriptions = 0 then counted.month_to_number end
        ) over (
            partition by counted.customer_id
            order by counted.month_from_number
            rows between unbounded preceding and 1 preceding
        ) as last_inactive_to_number
    from counted

),

deactivation_days as (

    select
        customer_id,
        deactivated_on,
        max(case when deactivation_reason = 'port_out' then 1 else 0 end)
            as port_out_flag
    from subscriptions
    where deactivated_on is not null
    group by customer_id, deactivated_on

),

last_days_of_months as (

    select
        customer_id,
        {{ month_number('deactivated_on') }} as month_number,
        port_out_flag,
        row_number() over (
            partition by customer_id, {{ month_of('deactivated_on') }}
            order by deactivated_on desc
        ) as recency_in_month
    from deactivation_days

),

last_deactivations as (

    select
        customer_id,
        month_number as month_from_number,
        lead(month_number, 1, {{ open_month_number() }}) over (
            partition by customer_id order by month_number
        ) as month_to_number,
        port_out_flag
    from last_days_of_months
    where recency_in_month = 1

),

final as (

    select
        related.customer_id,
        related.month_from_number,
        related.month_to_number,
        related.active_subscriptions,
        related.active_accounts,
        related.products,
        related.product_families,
        case
            when related.active_subscriptions > 0
                then coalesce(related.last_inactive_to_number, related.first_number)
        end as active_since_number,
        case
            when related.active_subscriptions > 0 then related.last_inactive_to_number
        end as returned_number,
        case
            when related.active_subscriptions = 0 then related.month_from_number
        end as inactive_since_number,
        coalesce(last_deactivations.port_out_flag, 0) = 1 as is_ported_out
    from related
    left join last_deactivations
        on
            related.customer_id = last_deactivations.customer_id
            and related.month_from_number >= last_deactivations.month_from_number
            and related.month_from_number < last_deactivations.month_to_number

)

select * from final
