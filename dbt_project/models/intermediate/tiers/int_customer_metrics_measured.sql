with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where is_ranked

),

policies as (

    select * from {{ ref('int_tier_policies_dated') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}

),

layers as (

    select * from {{ ref('int_customer_value_layered') }}

),

window_offsets as (

    {{ number_series(
        '0',
        '(select coalesce(max(window_months), 1) - 1 from policies)'
    ) }}

),

-- A month's revenue counts in its own window and in those of the months that follow, so
-- windows of any length are sums over equal months.
window_revenue as (

    select
        policies.policy_id,
        policies.month,
        revenue.customer_id,
        {{ sum_money('revenue.revenue') }} as revenue
    from revenue
    cross join window_offsets
    inner join policies
        on
            revenue.month_number + window_offsets.number = policies.month_number
            and window_offsets.number < policies.window_months
    where policies.metric = 'avg_revenue'
    group by
        policies.policy_id,
        policies.month,
        revenue.customer_id

),

measured as (

    select
        policies.policy_id,
        policies.policy_version,
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.region_class,
        spine.legal_form,
        policies.metric,
        policies.method,
        policies.metric_currency,
        policies.reporting_currency,
        policies.metric_cny_per_unit,
        policies.reporting_cny_per_unit,
        layers.value_score,
        case policies.metric
            when 'avg_revenue'
                then {{ divide_money(
                    'coalesce(window_revenue.revenue, 0)',
                    'least(policies.window_months, spine.month_number - greatest('
                    ~ 'spine.first_active_month_number, policies.first_month_number'
                    ~ ') + 1)'
                ) }}
            when 'revenue' then coalesce(revenue.revenue, 0)
            when 'billed_amount' then coalesce(revenue.billed_amount, 0)
            when 'margin' then layers.margin
        end as reporting_value
    from spine
    inner join policies on spine.month_number = policies.month_number
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    left join window_revenue
        on
            policies.policy_id = window_revenue.policy_id
            and policies.month = window_revenue.month
            and spine.customer_id = window_revenue.customer_id
    left join layers
        on
            spine.customer_id = layers.customer_id
            and spine.month_number = layers.month_number

),

final as (

    select
        policy_id,
        policy_version,
        customer_id,
        month,
        month_number,
        region_class,
        legal_form,
        metric,
        method,
        metric_currency,
        case
            when metric = 'value_score' then value_score
            else {{ convert_money(
                'reporting_value',
                'reporting_currency',
                'reporting_cny_per_unit',
                'metric_currency',
                'metric_cny_per_unit'
            ) }}
        end as metric_value
    from measured

)

select * from final
