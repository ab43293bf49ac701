with contacts as (

    select * from {{ ref('int_contacts_deduplicated') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

managers as (

    select distinct manager_id from {{ ref('int_managers_deduplicated') }}

),

campaigns as (

    select distinct campaign_id from {{ ref('int_campaigns_deduplicated') }}

),

settings as (

    select
        timezone,
        cast({{ add_months('closing_month', 1) }} as timestamp) as closes_at
    from {{ ref('stg_control__run_settings') }}

),

-- A contact of tomorrow has not happened; one with a customer nobody knows counts
-- nowhere, a manager or campaign nobody knows is none.
final as (

    select
        contacts.contact_id,
        contacts.customer_id,
        managers.manager_id,
        campaigns.campaign_id,
        contacts.channel,
        contacts.purpose,
        contacts.outcome,
        contacts.score,
        contacts.purpose in ('campaign', 'renewal', 'win_back') as counts_as_marketing,
        cast(contacts.cost as decimal(18, 4)) as cost,
        {{ month_of('contacts.contacted_at') }} as contacted_month,
        {{ month_number('contacts.contacted_at') }} as month_number,
        cast(contacts.contacted_at as date) as contacted_on,
        contacts.contacted_at,
        {{ elapsed_microseconds(
            "timestamp '1970-01-01 00:00:00'",
            'contacts.contacted_at',
            'settings.timezone',
        ) }} as contacted_microseconds,
        {{ elapsed_microseconds(
            'contacts.contacted_at', 'settings.closes_at', 'settings.timezone'
        ) }} as microseconds_to_close
    from contacts
    inner join customers on contacts.customer_id = customers.customer_id
    left join managers on contacts.manager_id = managers.manager_id
    left join campaigns on contacts.campaign_id = campaigns.campaign_id
    cross join settings
    where contacts.contacted_at < settings.closes_at

)

select * from final
