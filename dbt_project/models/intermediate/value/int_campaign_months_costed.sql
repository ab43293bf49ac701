with campaign_versions as (

    select * from {{ ref('int_campaigns_deduplicated') }}

),

contacts as (

    select * from {{ ref('int_contacts_deduplicated') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

latest_campaigns as (

    {{ latest_version('campaign_versions', 'campaign_id') }}

),

campaigns as (

    select
        campaign_id,
        fixed_cost,
        {{ month_number('starts_on') }} as month_from_number,
        {{ month_number('ends_on') }} as last_month_number
    from latest_campaigns
    where fixed_cost is not null

),

-- Contacts with customers that no feed knows enter no figure.
contacts_made as (

    select
        contacts.campaign_id,
        {{ month_number('contacts.contacted_at') }} as month_number,
        count(*) as contacts
    from contacts
    inner join customers on contacts.customer_id = customers.customer_id
    where contacts.campaign_id is not null
    group by contacts.campaign_id, {{ month_number('contacts.contacted_at') }}

),

final as (

    select
        campaigns.campaign_id,
        months.month,
        months.month_number,
        campaigns.last_month_number - campaigns.month_from_number + 1
            as campaign_months,
        coalesce(contacts_made.contacts, 0) as contacts,
        cast(campaigns.fixed_cost as decimal(18, 4)) as fixed_cost,
        {{ mean_money(
            'campaigns.fixed_cost',
            '(campaigns.last_month_number - campaigns.month_from_number + 1)'
        ) }} as month_cost
    from campaigns
    inner join months
        on
            campaigns.month_from_number <= months.month_number
            and campaigns.last_month_number >= months.month_number
    left join contacts_made
        on
            campaigns.campaign_id = contacts_made.campaign_id
            and months.month_number = contacts_made.month_number

)

select * from final
