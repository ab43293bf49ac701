{%- set counts = ['customers', 'active_subscriptions', 'active_accounts'] -%}
{%- set amounts = [
    'revenue', 'revenue_won', 'revenue_kept', 'revenue_grown', 'complaint_exposure',
    'overdue_amount',
] -%}
{%- set churn_counts = ['customers_before', 'customers_left'] -%}
{%- set churn_amounts = ['revenue_at_stake', 'revenue_left'] -%}
{%- set complaint_counts = ['complaints', 'resolve_outcomes', 'resolve_breaches'] -%}
with regions as (

    select * from {{ ref('int_regions_resolved') }}

),

region_levels as (

    select * from {{ ref('int_region_levels_unfolded') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

local_customers as (

    select * from {{ ref('int_local_customers_summed') }}

),

local_key_customers as (

    select * from {{ ref('int_local_key_customers_summed') }}

),

local_churn as (

    select * from {{ ref('int_local_churn_summed') }}

),

local_complaints as (

    select * from {{ ref('int_local_complaints_summed') }}

),

parameters as (

    {{ named_parameters(['complaint_rate_base']) }}

),

first_month as (

    select min(month) as month
    from months

),

-- A feed measures a month or it does not; without it a measure is null, never 0. What
-- the month before the run's first one earned is not known either.
month_coverage as (

    select
        months.month,
        max(case when months.month > first_month.month then 1 else 0 end) = 1
            as has_month_before,
        max(case when feeds.feed = 'complaints' then 1 else 0 end) = 1
            as has_complaints,
        max(case when feeds.feed = 'payments' then 1 else 0 end) = 1 as has_payments
    from months
    cross join first_month
    left join feeds
        on
            feeds.feed in ('complaints', 'payments')
            and months.month_number >= feeds.first_month_number
            and months.month_number <= feeds.last_month_number
    group by months.month

),

-- Every region has a row in every month, whether or not anybody is served there.
region_months as (

    select
        regions.region_code,
        regions.region_level,
        month_coverage.month,
        month_coverage.has_month_before,
        month_coverage.has_complaints,
        month_coverage.has_payments
    from regions
    cross join month_coverage

),

-- Figures are summed from the local networks below a region; ratios come after.
summed as (

    select
        region_months.region_code,
        region_months.region_level,
        region_months.month,
        {%- for column in counts %}
        cast(coalesce(sum(local_customers.{{ column }}), 0) as bigint) as {{ column }},
        {%- endfor %}
        {%- for column in amounts %}
        coalesce({{ sum_money('local_customers.' ~ column) }}, 0) as {{ column }},
        {%- endfor %}
        cast(coalesce(sum(local_key_customers.key_customers), 0) as bigint)
            as key_customers,
        coalesce({{ sum_money('local_key_customers.key_revenue') }}, 0) as key_revenue,
        {%- for column in churn_counts %}
        cast(coalesce(sum(local_churn.{{ column }}), 0) as bigint) as {{ column }},
        {%- endfor %}
        {%- for column in churn_amounts %}
        coalesce({{ sum_money('local_churn.' ~ column) }}, 0) as {{ column }},
        {%- endfor %}
        {%- for column in complaint_counts %}
        cast(coalesce(sum(local_complaints.{{ column }}), 0) as bigint) as {{ column }},
        {%- endfor %}
        region_months.has_month_before,
        region_months.has_complaints,
        region_months.has_payments
    from region_months
    left join region_levels on region_months.region_code = region_levels.region_code
    left join local_customers
        on
            region_levels.local_code = local_customers.local_code
            and region_months.month = local_customers.month
    left join local_key_customers
        on
            region_levels.local_code = local_key_customers.local_code
            and region_months.month = local_key_customers.month
    left join local_churn
        on
            region_levels.local_code = local_churn.local_code
            and region_months.month = local_churn.month
    left join local_complaints
        on
            region_levels.local_code = local_complaints.local_code
            and region_months.month = local_complaints.month
    group by
        region_months.region_code,
        region_months.region_level,
        region_months.month,
        region_months.has_month_before,
        region_months.has_complaints,
        region_months.has_payments

),

final as (

    select
        summed.month,
        summed.region_code,
        summed.region_level,
        summed.customers,
        summed.key_customers,
        summed.active_subscriptions,
        summed.active_accounts,
        summed.revenue,
        summed.key_revenue,
        {{ share_of('summed.key_revenue', 'summed.revenue') }} as key_revenue_share,
        {{ mean_money('summed.revenue', 'summed.active_subscriptions') }} as arpu,
        {{ mean_money('summed.revenue', 'summed.active_accounts') }} as arpa,
        summed.customers_before,
        summed.customers_left,
        {{ share_of('summed.customers_left', 'summed.customers_before') }}
            as customer_churn_rate,
        case when summed.has_month_before then summed.revenue_at_stake end
            as revenue_at_stake,
        case when summed.has_month_before then summed.revenue_left end as revenue_left,
        {{ share_of('summed.revenue_left', 'summed.revenue_at_stake') }}
            as revenue_churn_rate,
        {{ share_of(
            'summed.customers_before - summed.customers_left', 'summed.customers_before'
        ) }} as retention_rate,
        summed.revenue_won,
        summed.revenue_kept,
        summed.revenue_grown,
        case when summed.has_complaints then summed.complaint_exposure end
            as complaint_exposure,
        case when summed.has_complaints then summed.complaints end as complaints,
        case
            when summed.has_complaints
                then {{ share_of(
                    'summed.complaints * parameters.complaint_rate_base',
                    'summed.active_subscriptions'
                ) }}
        end as complaints_per_1000,
        case
            when summed.has_complaints
                then {{ share_of(
                    'summed.resolve_breaches', 'summed.resolve_outcomes'
                ) }}
        end as resolve_breach_share,
        case when summed.has_payments then summed.overdue_amount end as overdue_amount
    from summed
    cross join parameters

)

select * from final
