with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

complaint_versions as (

    select * from {{ ref('int_complaints_deduplicated') }}

),

contract_versions as (

    select * from {{ ref('int_contracts_deduplicated') }}

),

campaign_versions as (

    select * from {{ ref('int_campaigns_deduplicated') }}

),

proposal_versions as (

    select * from {{ ref('int_proposals_deduplicated') }}

),

invoices as (

    select * from {{ ref('int_invoices_counted') }}

),

charges as (

    select * from {{ ref('int_charges_summed') }}
    where is_itemised

),

active_loads as (

    select load_id from {{ ref('stg_control__active_loads') }}

),

-- Monthly feeds cover the months from their first row to their last. Where the month is
-- part of the key, a correction cannot move it: the rows as delivered tell it quickly.
monthly_feeds as (

    select
        'invoices' as feed,
        min(billing_month) as first_day,
        max(billing_month) as last_day
    from invoices
    union all
    select
        'charges' as feed,
        {{ month_of_number('min(month_number)') }} as first_day,
        {{ month_of_number('max(month_number)') }} as last_day
    from charges
    union all
    select
        'usage' as feed,
        min(usage_months.usage_month) as first_day,
        max(usage_months.usage_month) as last_day
    from {{ ref('stg_billing__usage_months') }} as usage_months
    inner join active_loads on usage_months.load_id = active_loads.load_id
    union all
    select
        'service_quality' as feed,
        min(quality_months.quality_month) as first_day,
        max(quality_months.quality_month) as last_day
    from {{ ref('stg_billing__service_quality_months') }} as quality_months
    inner join active_loads on quality_months.load_id = active_loads.load_id
    union all
    select
        'service_costs' as feed,
        min(service_costs.cost_month) as first_day,
        max(service_costs.cost_month) as last_day
    from {{ ref('stg_billing__service_costs') }} as service_costs
    inner join active_loads on service_costs.load_id = active_loads.load_id

),

latest_complaints as (

    {{ latest_version('complaint_versions', 'complaint_id') }}

),

latest_contracts as (

    {{ latest_version('contract_versions', 'contract_id') }}

),

latest_campaigns as (

    {{ latest_version('campaign_versions', 'campaign_id') }}

),

latest_proposals as (

    {{ latest_version('proposal_versions', 'proposal_id') }}

),

-- Feeds of events cover everything from their first event through the closing month.
event_feeds as (

    select
        'payments' as feed,
        min(paid_on) as first_day
    from {{ ref('int_payments_deduplicated') }}
    union all
    select
        'contacts' as feed,
        cast(min(contacted_at) as date) as first_day
    from {{ ref('int_contacts_deduplicated') }}
    union all
    select
        'complaints' as feed,
        cast(min(opened_at) as date) as first_day
    from latest_complaints
    union all
    select
        'contracts' as feed,
        min(starts_on) as first_day
    from latest_contracts
    union all
    select
        'campaigns' as feed,
        min(starts_on) as first_day
    from latest_campaigns
    union all
    select
        'proposals' as feed,
        min(proposed_on) as first_day
    from latest_proposals

),

-- Registers have no first event: their earliest version stands for all months before.
register_sizes as (

    select
        'customers' as feed,
        count(*) as row_count
    from {{ ref('int_customers_deduplicated') }}
    union all
    select
        'accounts' as feed,
        count(*) as row_count
    from {{ ref('int_accounts_deduplicated') }}
    union all
    select
        'subscriptions' as feed,
        count(*) as row_count
    from {{ ref('int_subscriptions_deduplicated') }}
    union all
    select
        'managers' as feed,
        count(*) as row_count
    from {{ ref('int_managers_deduplicated') }}

),

covered_days as (

    select
        feed,
        first_day,
        last_day
    from monthly_feeds
    union all
    select
        event_feeds.feed,
        event_feeds.first_day,
        settings.closing_month as last_day
    from event_feeds
    cross join settings
    union all
    select
        register_sizes.feed,
        settings.first_month as first_day,
        settings.closing_month as last_day
    from register_sizes
    cross join settings
    where register_sizes.row_count > 0

),

-- An event feed that begins after the closing month is absent in this run.
final as (

    select
        feed,
        {{ month_of('first_day') }} as first_month,
        {{ month_of('last_day') }} as last_month,
        {{ month_number('first_day') }} as first_month_number,
        {{ month_number('last_day') }} as last_month_number
    from covered_days
    where {{ month_of('first_day') }} <= {{ month_of('last_day') }}

)

select * from final
