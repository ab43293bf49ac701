{{ config(materialized='by_month', tells_late=true) }}
with contacts as (

    select * from {{ ref('int_contacts_deduplicated') }}

),

campaign_months as (

    select * from {{ ref('int_campaign_months_costed') }}

),

complaint_versions as (

    select * from {{ ref('int_complaints_deduplicated') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

known_contacts as (

    select
        contacts.customer_id,
        contacts.campaign_id,
        {{ month_number('contacts.contacted_at') }} as month_number,
        contacts.cost
    from contacts
    inner join customers on contacts.customer_id = customers.customer_id

),

contacts_summed as (

    select
        customer_id,
        campaign_id,
        month_number,
        count(*) as contacts,
        {{ sum_money('coalesce(cost, 0)') }} as contact_cost
    from known_contacts
    group by customer_id, campaign_id, month_number

),

known_complaints as (

    select complaint_versions.*
    from complaint_versions
    inner join customers on complaint_versions.customer_id = customers.customer_id

),

latest_complaints as (

    {{ latest_version('known_complaints', 'complaint_id') }}

),

-- A campaign's cost of the month goes to the contacts made for it in that month, each
-- the same share; rounded once for the customer.
parts as (

    select
        contacts_summed.customer_id,
        contacts_summed.month_number,
        contacts_summed.contact_cost,
        coalesce({{ mean_money(
            'campaign_months.fixed_cost * contacts_summed.contacts',
            '(campaign_months.campaign_months * campaign_months.contacts)'
        ) }}, 0) as campaign_cost,
        cast(0 as decimal(18, 4)) as compensation
    from contacts_summed
    left join campaign_months
        on
            contacts_summed.campaign_id = campaign_months.campaign_id
            and contacts_summed.month_number = campaign_months.month_number
    union all
    select
        customer_id,
        {{ month_number('opened_at') }} as month_number,
        cast(0 as decimal(18, 4)) as contact_cost,
        cast(0 as decimal(18, 4)) as campaign_cost,
        cast(compensation as decimal(18, 4)) as compensation
    from latest_complaints

),

final as (

    select
        parts.customer_id,
        months.month,
        months.month_number,
        {{ sum_money('parts.contact_cost') }} as contact_cost,
        {{ sum_money('parts.campaign_cost') }} as campaign_cost,
        {{ sum_money('parts.compensation') }} as compensation
    from parts
    inner join months on parts.month_number = months.month_number
    group by parts.customer_id, months.month, months.month_number

)

select * from final
