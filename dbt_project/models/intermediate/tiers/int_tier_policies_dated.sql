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

in_force as (

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
            as metric_currency
    from months
    cross join settings
    inner join policies
        on
            settings.tier_policy = policies.policy_id
            and months.month >= policies.valid_from
            and (policies.valid_to is null or months.month < policies.valid_to)

),

final as (

    select
        in_force.policy_id,
        in_force.policy_version,
        in_force.month,
        in_force.month_number,
        in_force.first_month_number,
        in_force.metric,
        in_force.method,
        in_force.metric_currency,
        in_force.reporting_currency,
        in_force.window_months,
        in_force.grace_months,
        exchange_rates.cny_per_unit as metric_cny_per_unit,
        exchange_rates.reporting_cny_per_unit
    from in_force
    left join exchange_rates
        on
            in_force.month = exchange_rates.month
            and in_force.metric_currency = exchange_rates.currency

)

select * from final
