with months as (

    select * from {{ ref('int_months_numbered') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

policies as (

    select * from {{ ref('tier_policies') }}

),

exchange_rates as (

    select * from {{ ref('int_exchange_rates_completed') }}

),

valid_versions as (

    select
        months.month,
        months.month_number,
        policies.policy_id,
        policies.policy_version,
        policies.metric,
        policies.method,
        policies.window_months,
        policies.grace_months,
        settings.reporting_currency,
        {{ month_number('settings.first_month') }} as first_month_number,
        case when policies.metric <> 'value_score' then policies.currency end
            as metric_currency,
        policies.policy_id = settings.tier_policy as is_in_force
    from months
    cross join settings
    inner join policies
        on
            months.month >= policies.valid_from
            and (policies.valid_to is null or months.month < policies.valid_to)

),

rated as (

    select
        valid_versions.policy_id,
        valid_versions.policy_version,
        valid_versions.month,
        valid_versions.month_number,
        valid_versions.first_month_number,
        valid_versions.metric,
        valid_versions.method,
        valid_versions.metric_currency,
        valid_versions.reporting_currency,
        valid_versions.window_months,
        valid_versions.grace_months,
        exchange_rates.cny_per_unit as metric_cny_per_unit,
        exchange_rates.reporting_cny_per_unit,
        valid_versions.is_in_force,
        not valid_versions.is_in_force
        and coalesce(
            valid_versions.metric_currency <> valid_versions.reporting_currency, false
        )
        and (
            exchange_rates.cny_per_unit is null
            or exchange_rates.reporting_cny_per_unit is null
        ) as is_left_out
    from valid_versions
    left join exchange_rates
        on
            valid_versions.month = exchange_rates.month
            and valid_versions.metric_currency = exchange_rates.currency

),

-- Policies that rank by the same measure share one order: the costly part is done once.
final as (

    select
        policy_id,
        policy_version,
        month,
        month_number,
        first_month_number,
        metric,
        method,
        metric_currency,
        reporting_currency,
        window_months,
        grace_months,
        metric_cny_per_unit,
        reporting_cny_per_unit,
        is_in_force,
        is_left_out,
        case
            when {{ ranks_customers('method') }} and not is_left_out
                then min(policy_id) over (
                    partition by
                        month,
                        metric,
                        metric_currency,
                        case when metric = 'avg_revenue' then window_months end,
                        {{ ranks_customers('method') }},
                        is_left_out
                )
        end as order_policy_id
    from rated

)

select * from final
