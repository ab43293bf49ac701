with contracts as (

    select * from {{ ref('int_contracts_judged') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_latest') }}
    where contract_id is not null

),

owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

charges as (

    select * from {{ ref('int_charges_summed') }}
    where subscription_id is not null

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}

),

scores as (

    select * from {{ ref('int_customer_churn_scored') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

parameters as (

    {{ named_parameters(['renewal_revenue_months', 'value_at_risk_months']) }}

),

settings as (

    select
        {{ month_number('run_settings.closing_month') }} as closing_number,
        max(case when feeds.feed = 'charges' then 1 else 0 end) = 1 as has_charges
    from {{ ref('stg_control__run_settings') }} as run_settings
    left join feeds
        on
            {{ month_number('run_settings.closing_month') }}
            >= feeds.first_month_number
            and {{ month_number('run_settings.closing_month') }}
            <= feeds.last_month_number
    group by run_settings.closing_month

),

closing_revenue as (

    select
        revenue.customer_id,
        revenue.months_existing,
        revenue.avg_revenue_3m
    from revenue
    inner join settings on revenue.month_number = settings.closing_number

),

-- Customers of whom it is known which subscription is under which contract.
naming_customers as (

    select distinct owners.customer_id
    from subscriptions
    inner join owners on subscriptions.account_id = owners.account_id
    cross join settings
    where
        owners.month_from_number <= settings.closing_number
        and owners.month_to_number > settings.closing_number

),

-- A parent's contract may hold subscriptions of its group: each customer billed has a
-- mean over its own months, so that no customer's parts exceed its avg_revenue_3m.
contract_revenue as (

    select
        subscriptions.contract_id,
        charges.customer_id,
        {{ sum_money('charges.revenue') }} as revenue
    from charges
    inner join subscriptions on charges.subscription_id = subscriptions.subscription_id
    cross join settings
    cross join parameters
    where
        charges.month_number > settings.closing_number
        - parameters.renewal_revenue_months
    group by subscriptions.contract_id, charges.customer_id

),

contract_means as (

    select
        contract_revenue.contract_id,
        {{ average_revenue(
            'contract_revenue.revenue',
            'closing_revenue.months_existing',
            'parameters.renewal_revenue_months',
        ) }} as mean_revenue
    from contract_revenue
    inner join closing_revenue
        on contract_revenue.customer_id = closing_revenue.customer_id
    cross join parameters

),

contracts_summed as (

    select
        contract_id,
        {{ sum_money('mean_revenue') }} as mean_revenue
    from contract_means
    group by contract_id

),

-- Where nothing names a contract, one alone carries the customer, so that its revenue
-- is not counted twice.
carrying_contracts as (

    select
        contract_id,
        row_number() over (
            partition by customer_id order by ends_on desc, contract_id asc
        ) as place
    from contracts
    where is_started

),

valued as (

    select
        contracts.*,
        case
            when naming_customers.customer_id is null then 'customer'
            else 'subscriptions'
        end as revenue_basis,
        case
            when naming_customers.customer_id is not null and not settings.has_charges
                then null
            when naming_customers.customer_id is not null
                then coalesce(contracts_summed.mean_revenue, 0)
            when carrying_contracts.place = 1
                then coalesce(closing_revenue.avg_revenue_3m, 0)
            else 0
        end as monthly_revenue,
        scores.churn_probability
    from contracts
    cross join settings
    left join naming_customers on contracts.customer_id = naming_customers.customer_id
    left join contracts_summed on contracts.contract_id = contracts_summed.contract_id
    left join carrying_contracts
        on contracts.contract_id = carrying_contracts.contract_id
    left join closing_revenue on contracts.customer_id = closing_revenue.customer_id
    left join scores
        on
            contracts.customer_id = scores.customer_id
            and settings.closing_number = scores.month_number

),

final as (

    select
        valued.contract_id,
        valued.customer_id,
        valued.status,
        valued.revenue_basis,
        valued.days_left,
        cast(valued.monthly_revenue as decimal(18, 4)) as monthly_revenue,
        valued.churn_probability,
        {{ chance_of_money(
            'valued.churn_probability',
            'valued.monthly_revenue * parameters.value_at_risk_months',
        ) }} as value_at_risk,
        valued.signed_on,
        valued.starts_on,
        valued.ends_on,
        valued.end_month
    from valued
    cross join parameters

)

select * from final
