{{ config(
    materialized='by_month',
    tells_late=true,
    tells_tiers=true,
    takes={
        'from': 'int_customer_kinds_assigned',
        'key': ['customer_id', 'month'],
        'columns': ['segment', 'is_strategic', 'is_premier'],
    },
) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where
        is_published
        and {{ is_needed('month_number') }}

),

kinds as (

    select * from {{ ref('int_customer_kinds_assigned') }}
    where {{ is_needed('month_number') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}
    where {{ is_needed('month_number') }}

),

payments as (

    select * from {{ ref('int_customer_payments_summed') }}
    where {{ is_needed('month_number') }}

),

receivables as (

    select * from {{ ref('int_customer_receivables_graded') }}
    where {{ is_needed('month_number') }}

),

complaints as (

    select * from {{ ref('int_customer_complaints_counted') }}
    where {{ is_needed('month_number') }}

),

stars as (

    select * from {{ ref('int_customer_stars_held') }}
    where {{ is_needed('month_number') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

-- What a feed did not cover stays null in these months; what it covered and does not
-- mention is zero.
months_covered as (

    select
        months.month_number,
        max(case when feeds.feed = 'payments' then 1 else 0 end) = 1
            as has_payments,
        max(case when feeds.feed = 'complaints' then 1 else 0 end) = 1
            as has_complaints
    from {{ ref('int_months_numbered') }} as months
    left join feeds
        on
            months.month_number >= feeds.first_month_number
            and months.month_number <= feeds.last_month_number
    group by months.month_number

),

final as (

    select
        spine.customer_id,
        spine.month,
        spine.relationship,
        spine.region_code,
        spine.manager_id,
        kinds.segment,
        kinds.is_important,
        kinds.is_high_value,
        kinds.is_group,
        kinds.is_strategic,
        kinds.is_premier,
        spine.active_subscriptions,
        spine.active_accounts,
        spine.products,
        spine.product_families,
        spine.tenure_months,
        coalesce(revenue.revenue, 0) as revenue,
        coalesce(revenue.avg_revenue_3m, 0) as avg_revenue_3m,
        coalesce(revenue.avg_revenue_6m, 0) as avg_revenue_6m,
        coalesce(revenue.billed_amount, 0) as billed_amount,
        case
            when months_covered.has_payments then coalesce(payments.paid_amount, 0)
        end as paid_amount,
        case
            when months_covered.has_payments
                then coalesce(receivables.outstanding_amount, 0)
        end as outstanding_amount,
        case
            when months_covered.has_payments
                then coalesce(receivables.overdue_amount, 0)
        end as overdue_amount,
        coalesce(receivables.credit_grade, 'unknown') as credit_grade,
        stars.stars,
        case
            when months_covered.has_complaints
                then coalesce(complaints.complaints_12m, 0)
        end as complaints_12m,
        case
            when months_covered.has_complaints
                then coalesce(complaints.open_complaints, 0)
        end as open_complaints,
        spine.legal_form,
        spine.region_class,
        spine.group_id,
        spine.is_ranked
    from spine
    inner join months_covered on spine.month_number = months_covered.month_number
    left join kinds
        on
            spine.customer_id = kinds.customer_id
            and spine.month_number = kinds.month_number
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    left join payments
        on
            spine.customer_id = payments.customer_id
            and spine.month_number = payments.month_number
    left join receivables
        on
            spine.customer_id = receivables.customer_id
            and spine.month_number = receivables.month_number
    left join complaints
        on
            spine.customer_id = complaints.customer_id
            and spine.month_number = complaints.month_number
    left join stars
        on
            spine.customer_id = stars.customer_id
            and spine.month_number = stars.month_number

)

select * from final
