with contacts as (

    select * from {{ ref('int_contacts_dated') }}
    where campaign_id is not null

),

spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where is_published

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}

),

run_months as (

    select
        min(month_number) as first_number,
        max(month_number) as last_number
    from {{ ref('int_months_numbered') }}

),

parameters as (

    {{ named_parameters(['uplift_months']) }}

),

-- The first contact of a campaign is the treatment; later ones belong to it.
treated as (

    select
        campaign_id,
        customer_id,
        min(month_number) as contact_number,
        count(*) as contacts,
        count(case when outcome in ('reached', 'accepted', 'declined') then 1 end) > 0
            as is_reached,
        count(case when outcome = 'accepted' then 1 end) > 0 as is_accepted,
        {{ sum_money('coalesce(cost, 0)') }} as contact_cost
    from contacts
    group by campaign_id, customer_id

),

-- Tier and network are those of the month before, which the campaign cannot have moved.
final as (

    select
        treated.campaign_id,
        treated.customer_id,
        treated.contact_number,
        treated.contacts,
        treated.contact_cost,
        treated.is_reached,
        treated.is_accepted,
        treated.contact_number - parameters.uplift_months >= run_months.first_number
        and treated.contact_number + parameters.uplift_months
        <= run_months.last_number as is_measured,
        spine.region_code,
        case
            when spine.customer_id is not null then coalesce(tiers.tier_code, 'none')
        end as tier_code
    from treated
    cross join run_months
    cross join parameters
    left join spine
        on
            treated.customer_id = spine.customer_id
            and treated.contact_number - 1 = spine.month_number
    left join tiers
        on
            treated.customer_id = tiers.customer_id
            and treated.contact_number - 1 = tiers.month_number

)

select * from final
