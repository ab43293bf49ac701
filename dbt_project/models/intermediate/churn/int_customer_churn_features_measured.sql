{{ config(materialized='by_month', months_before='churn_horizon_months') }}
{%- set feeds = [
    'contracts', 'complaints', 'payments', 'managers', 'contacts', 'service_quality',
] -%}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where
        is_ranked
        and {{ is_needed('month_number') }}

),

activity as (

    select * from {{ ref('int_customer_activity_ranged') }}
    where active_subscriptions = 0

),

holdings as (

    select * from {{ ref('int_customer_holdings_known') }}

),

trends as (

    select * from {{ ref('int_customer_trends_known') }}
    where {{ is_needed('month_number') }}

),

complaints as (

    select * from {{ ref('int_customer_complaints_known') }}
    where {{ is_needed('month_number') }}

),

receivables as (

    select * from {{ ref('int_customer_receivables_graded') }}
    where {{ is_needed('month_number') }}

),

quality as (

    select * from {{ ref('int_customer_quality_summed') }}
    where {{ is_needed('month_number') }}

),

contract_versions as (

    select * from {{ ref('int_contracts_deduplicated') }}

),

customer_versions as (

    select * from {{ ref('int_customers_deduplicated') }}

),

subscription_versions as (

    select * from {{ ref('int_subscriptions_deduplicated') }}

),

managers as (

    select distinct manager_id from {{ ref('int_managers_deduplicated') }}

),

account_owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

settings as (

    select {{ month_number('closing_month') }} as closing_number
    from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters([
        'churn_horizon_months',
        'churn_plan_change_months',
        'churn_manager_change_months',
        'churn_contact_months',
    ]) }}

),

months_covered as (

    select
        {%- for feed in feeds %}
        max(case when feeds.feed = '{{ feed }}' then 1 else 0 end) = 1
            as has_{{ feed }},
        {%- endfor %}
        months.month_number
    from {{ ref('int_months_numbered') }} as months
    left join {{ ref('int_feeds_covered') }} as feeds
        on
            months.month_number >= feeds.first_month_number
            and months.month_number <= feeds.last_month_number
    group by months.month_number

),

contracts_known as (

    {{ known_ranges('contract_versions', 'contract_id') }}

),

-- A contract runs at a month's end from the month it starts, until a month ends after
-- its last day.
contracts_running as (

    select
        customer_id,
        greatest(month_from_number, {{ month_number('starts_on') }})
            as month_from_number,
        least(month_to_number, {{ month_number(add_days('ends_on', 1)) }})
            as month_to_number,
        {{ month_number(add_days('ends_on', 1)) }} - 1 as last_number
    from contracts_known

),

contracts as (

    select
        spine.customer_id,
        spine.month_number,
        max(contracts_running.last_number) - spine.month_number as months_left
    from spine
    inner join contracts_running
        on
            spine.customer_id = contracts_running.customer_id
            and spine.month_number >= contracts_running.month_from_number
            and spine.month_number < contracts_running.month_to_number
    group by spine.customer_id, spine.month_number

),

customers_known as (

    {{ known_ranges('customer_versions', 'customer_id') }}

),

competitors as (

    select
        customer_id,
        month_from_number,
        month_to_number
    from customers_known
    where competitor is not null

),

managers_named as (

    select
        customer_versions.customer_id,
        managers.manager_id,
        {{ month_number('customer_versions.updated_at') }} as month_number,
        lag(managers.manager_id) over (
            partition by customer_versions.customer_id
            order by customer_versions.updated_at
        ) as manager_before
    from customer_versions
    left join managers on customer_versions.manager_id = managers.manager_id

),

plans_named as (

    select
        account_id,
        subscription_id,
        plan_code,
        {{ month_number('updated_at') }} as month_number,
        lag(plan_code) over (
            partition by subscription_id order by updated_at
        ) as plan_before
    from subscription_versions

),

-- Something happened to a customer in a month; it counts for the months of its window.
events as (

    select
        managers_named.customer_id,
        managers_named.month_number,
        'manager_change' as happening,
        parameters.churn_manager_change_months as window_months
    from managers_named
    cross join parameters
    where managers_named.manager_before <> coalesce(managers_named.manager_id, '')
    union all
    select
        account_owners.customer_id,
        plans_named.month_number,
        'plan_change' as happening,
        parameters.churn_plan_change_months as window_months
    from plans_named
    cross join parameters
    inner join account_owners
        on
            plans_named.account_id = account_owners.account_id
            and plans_named.month_number >= account_owners.month_from_number
            and plans_named.month_number < account_owners.month_to_number
    where plans_named.plan_before <> plans_named.plan_code
    union all
    select
        contacts.customer_id,
        {{ month_number('contacts.contacted_at') }} as month_number,
        'contact' as happening,
        parameters.churn_contact_months as window_months
    from {{ ref('int_contacts_deduplicated') }} as contacts
    cross join parameters

),

events_counted as (

    select
        events.customer_id,
        months_covered.month_number,
        sum(case when events.happening = 'manager_change' then 1 else 0 end)
            as manager_changes,
        sum(case when events.happening = 'plan_change' then 1 else 0 end)
            as plan_changes,
        sum(case when events.happening = 'contact' then 1 else 0 end) as contacts
    from events
    inner join months_covered
        on
            events.month_number <= months_covered.month_number
            and events.month_number + events.window_months > months_covered.month_number
    group by events.customer_id, months_covered.month_number

),

horizon as (

    {{ number_series('1', '(select churn_horizon_months from parameters)') }}

),

-- Whoever is without a subscription from a month on was about to leave in the months of
-- the horizon before it.
departures as (

    select distinct
        activity.customer_id,
        activity.month_from_number - horizon.number as month_number
    from activity
    cross join horizon

),

joined as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        case
            when
                spine.month_number + parameters.churn_horizon_months
                <= settings.closing_number
                then departures.customer_id is not null
        end as left_within_3m,
        spine.month_number - holdings.activated_number as tenure_months,
        nullif(holdings.product_count, 0) as product_count,
        nullif(holdings.family_count, 0) as family_count,
        case
            when months_covered.has_contracts
                then case when contracts.customer_id is null then 0 else 1 end
        end as in_contract,
        case
            when months_covered.has_contracts then coalesce(contracts.months_left, 0)
        end as contract_months_left,
        trends.revenue_trend,
        trends.revenue_drop_share,
        trends.usage_trend,
        {%- for feature in [
            'complaints_3m', 'complaints_12m', 'open_complaints', 'breaches_12m',
        ] %}
        case
            when months_covered.has_complaints
                then coalesce(complaints.{{ feature }}, 0)
        end as {{ feature }},
        {%- endfor %}
        complaints.mean_satisfaction,
        case
            when months_covered.has_payments
                then case when receivables.overdue_amount > 0 then 1 else 0 end
        end as is_overdue,
        case
            when months_covered.has_payments and trends.mean_revenue > 0
                then {{ share_of(
                    'coalesce(receivables.overdue_amount, 0)', 'trends.mean_revenue'
                ) }}
        end as overdue_months,
        case
            when months_covered.has_payments
                then coalesce(receivables.longest_overdue_days, 0)
        end as days_past_due,
        coalesce(events_counted.plan_changes, 0) as plan_changes_12m,
        case
            when months_covered.has_managers
                then coalesce(events_counted.manager_changes, 0)
        end as manager_changes_6m,
        case
            when months_covered.has_contacts then coalesce(events_counted.contacts, 0)
        end as contacts_3m,
        case
            when months_covered.has_service_quality
                then {{ share_of('quality.outage_minutes_total', '60') }}
        end as outage_hours,
        case
            when months_covered.has_service_quality
                then {{ share_of(
                    'quality.drop_rate_total', 'quality.drop_rate_count'
                ) }}
        end as drop_rate,
        case when competitors.customer_id is null then 0 else 1 end as competitor_known,
        holdings.is_prepaid,
        trends.charge_level
    from spine
    cross join settings
    cross join parameters
    inner join months_covered on spine.month_number = months_covered.month_number
    left join departures
        on
            spine.customer_id = departures.customer_id
            and spine.month_number = departures.month_number
    left join holdings
        on
            spine.customer_id = holdings.customer_id
            and spine.month_number >= holdings.month_from_number
            and spine.month_number < holdings.month_to_number
    left join contracts
        on
            spine.customer_id = contracts.customer_id
            and spine.month_number = contracts.month_number
    left join trends
        on
            spine.customer_id = trends.customer_id
            and spine.month_number = trends.month_number
    left join complaints
        on
            spine.customer_id = complaints.customer_id
            and spine.month_number = complaints.month_number
    left join receivables
        on
            spine.customer_id = receivables.customer_id
            and spine.month_number = receivables.month_number
    left join events_counted
        on
            spine.customer_id = events_counted.customer_id
            and spine.month_number = events_counted.month_number
    left join quality
        on
            spine.customer_id = quality.customer_id
            and spine.month_number = quality.month_number
    left join competitors
        on
            spine.customer_id = competitors.customer_id
            and spine.month_number >= competitors.month_from_number
            and spine.month_number < competitors.month_to_number

),

final as (

    select
        customer_id,
        month,
        month_number,
        {%- for feature, _, _ in churn_features() %}
        round(cast({{ feature }} as double), 6) as {{ feature }},
        {%- endfor %}
        left_within_3m
    from joined

)

select * from final
