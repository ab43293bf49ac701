with contacts as (

    select * from {{ ref('int_contacts_dated') }}

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}

),

contact_limits as (

    select * from {{ ref('contact_limits') }}

),

parameters as (

    {{ named_parameters(['contact_window_days']) }}

),

-- A marketing contact enters the count when it is made and leaves it when the window
-- has passed: at that very instant a new one finds its place free again.
movements as (

    select
        contact_id,
        customer_id,
        channel,
        contacted_microseconds as moved_at,
        1 as change
    from contacts
    where counts_as_marketing
    union all
    select
        contacts.contact_id,
        contacts.customer_id,
        contacts.channel,
        contacts.contacted_microseconds + cast(
            {{ microseconds_of_hours('parameters.contact_window_days * 24') }}
            as bigint
        ) as moved_at,
        -1 as change
    from contacts
    cross join parameters
    where contacts.counts_as_marketing

),

-- Of contacts at one instant the lower contact_id comes first.
counted as (

    select
        contact_id,
        change,
        cast(
            sum(change) over (
                partition by customer_id, channel
                order by moved_at, change, contact_id
                rows between unbounded preceding and current row
            ) as bigint
        ) as marketing_contacts
    from movements

),

-- The customer is spared by the class it had reached when the month began; a class
-- without a limit of its own has that of class standard.
limited as (

    select
        contacts.*,
        coalesce(tiers.tier_code, 'none') as tier_code,
        coalesce(tiers.service_class, 'standard') as service_class,
        coalesce(class_limits.limit_30_days, standard_limits.limit_30_days)
            as limit_30_days
    from contacts
    left join tiers
        on
            contacts.customer_id = tiers.customer_id
            and contacts.month_number - 1 = tiers.month_number
    left join contact_limits as class_limits
        on
            coalesce(tiers.service_class, 'standard') = class_limits.service_class
            and contacts.channel = class_limits.channel
    left join contact_limits as standard_limits
        on
            standard_limits.service_class = 'standard'
            and contacts.channel = standard_limits.channel

),

final as (

    select
        limited.contact_id,
        limited.customer_id,
        limited.manager_id,
        limited.campaign_id,
        limited.tier_code,
        limited.service_class,
        limited.channel,
        limited.purpose,
        limited.outcome,
        limited.score,
        limited.cost,
        counted.marketing_contacts as marketing_contacts_30_days,
        case when limited.counts_as_marketing then limited.limit_30_days end
            as limit_30_days,
        limited.counts_as_marketing,
        counted.marketing_contacts <= limited.limit_30_days as within_limit,
        limited.contacted_month,
        limited.contacted_at
    from limited
    left join counted
        on
            limited.contact_id = counted.contact_id
            and counted.change = 1

)

select * from final
