{{ config(materialized='view') }}
{%- set policy_columns %}
        policies.policy_id,
        policies.policy_version,
        policies.metric,
        policies.method,
        policies.metric_currency,
        policies.reporting_currency,
        policies.metric_cny_per_unit,
        policies.reporting_cny_per_unit,
        policies.grace_months,
        policies.order_policy_id,
        policies.is_in_force,
{%- endset %}

with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where is_ranked

),

policies as (

    select * from {{ ref('int_tier_policies_dated') }}
    where not is_left_out

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}

),

window_revenue as (

    select * from {{ ref('int_customer_windows_summed') }}

),

layers as (

    select * from {{ ref('int_customer_value_layered') }}

),

-- What policies may measure is joined once per customer and month, before the policies.
measures as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.region_class,
        spine.legal_form,
        layers.margin,
        layers.value_score,
        coalesce(revenue.revenue, 0) as revenue,
        coalesce(revenue.billed_amount, 0) as billed_amount
    from spine
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    left join layers
        on
            spine.customer_id = layers.customer_id
            and spine.month_number = layers.month_number

),

averaged as (

    select
        {{ policy_columns }}
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.region_class,
        spine.legal_form,
        coalesce(revenue.revenue, 0) as revenue,
        cast(null as decimal(18, 4)) as value_score,
        {{ mean_money(
            'coalesce(window_revenue.revenue, 0)',
            'least(policies.window_months, spine.month_number - greatest('
            ~ 'spine.first_active_month_number, policies.first_month_number'
            ~ ') + 1)'
        ) }} as reporting_value
    from spine
    inner join policies on spine.month_number = policies.month_number
    left join window_revenue
        on
            policies.window_months = window_revenue.window_months
            and spine.customer_id = window_revenue.customer_id
            and spine.month_number = window_revenue.month_number
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    where policies.metric = 'avg_revenue'

),

single_months as (

    select
        {{ policy_columns }}
        measures.customer_id,
        measures.month,
        measures.month_number,
        measures.region_class,
        measures.legal_form,
        measures.revenue,
        measures.value_score,
        case policies.metric
            when 'revenue' then measures.revenue
            when 'billed_amount' then measures.billed_amount
            when 'margin' then measures.margin
        end as reporting_value
    from measures
    inner join policies on measures.month_number = policies.month_number
    where policies.metric <> 'avg_revenue'

),

measured as (

    select * from averaged
    union all
    select * from single_months

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
        grace_months,
        order_policy_id,
        revenue,
        case
            when metric = 'value_score' then value_score
            else {{ convert_money(
                'reporting_value',
                'reporting_currency',
                'reporting_cny_per_unit',
                'metric_currency',
                'metric_cny_per_unit'
            ) }}
        end as metric_value,
        is_in_force
    from measured

)

select * from final
