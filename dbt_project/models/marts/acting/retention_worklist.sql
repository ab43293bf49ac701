with listed as (

    select * from {{ ref('int_customers_at_risk_listed') }}

),

dependence as (

    select * from {{ ref('int_customer_dependence_counted') }}

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

contacts as (

    select * from {{ ref('int_contacts_dated') }}
    where counts_as_marketing

),

worklist_actions as (

    select * from {{ ref('worklist_actions') }}

),

contact_limits as (

    select * from {{ ref('contact_limits') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

parameters as (

    {{ named_parameters(['contact_window_days']) }}

),

coverage as (

    select max(case when feeds.feed = 'contacts' then 1 else 0 end) = 1 as has_contacts
    from {{ ref('stg_control__run_settings') }} as run_settings
    left join feeds
        on
            {{ month_number('run_settings.closing_month') }}
            >= feeds.first_month_number
            and {{ month_number('run_settings.closing_month') }}
            <= feeds.last_month_number

),

-- The next contact falls into the month after the closing month, so the tier of the
-- closing month is the one of the month before it.
classified as (

    select
        listed.*,
        coalesce(tiers.tier_code, 'none') as tier_code,
        coalesce(tiers.service_class, 'standard') as service_class,
        coalesce(customer_versions.marketing_consent, false) as marketing_consent
    from listed
    inner join customer_versions
        on
            listed.customer_id = customer_versions.customer_id
            and listed.month_number >= customer_versions.month_from_number
            and listed.month_number < customer_versions.month_to_number
    left join tiers
        on
            listed.customer_id = tiers.customer_id
            and listed.month_number = tiers.month_number

),

-- A class without a row of its own is treated as class standard.
advised as (

    select
        classified.*,
        coalesce(class_actions.action, standard_actions.action) as recommended_action,
        coalesce(class_actions.channel, standard_actions.channel)
            as recommended_channel
    from classified
    left join worklist_actions as class_actions
        on
            classified.first_reason = class_actions.reason
            and classified.service_class = class_actions.service_class
    left join worklist_actions as standard_actions
        on
            classified.first_reason = standard_actions.reason
            and standard_actions.service_class = 'standard'

),

contacts_counted as (

    select
        contacts.customer_id,
        contacts.channel,
        count(*) as marketing_contacts
    from contacts
    cross join parameters
    where
        contacts.microseconds_to_close
        < {{ microseconds_of_hours('parameters.contact_window_days * 24') }}
    group by contacts.customer_id, contacts.channel

),

budgeted as (

    select
        advised.*,
        case
            when coverage.has_contacts
                then coalesce(contacts_counted.marketing_contacts, 0)
        end as marketing_contacts_30_days,
        coalesce(class_limits.limit_30_days, standard_limits.limit_30_days)
            as limit_30_days
    from advised
    cross join coverage
    left join contacts_counted
        on
            advised.customer_id = contacts_counted.customer_id
            and advised.recommended_channel = contacts_counted.channel
    left join contact_limits as class_limits
        on
            advised.service_class = class_limits.service_class
            and advised.recommended_channel = class_limits.channel
    left join contact_limits as standard_limits
        on
            standard_limits.service_class = 'standard'
            and advised.recommended_channel = standard_limits.channel

),

gated as (

    select
        budgeted.*,
        case
            when not budgeted.marketing_consent then 'no_consent'
            when budgeted.marketing_contacts_30_days >= budgeted.limit_30_days
                then 'limit_reached'
        end as contact_blocked_by
    from budgeted

),

final as (

    select
        gated.customer_id,
        row_number() over (
            order by gated.value_at_risk desc nulls last, gated.customer_id asc
        ) as rank,
        gated.relationship,
        gated.region_code,
        gated.tier_code,
        gated.service_class,
        gated.manager_id,
        gated.reasons,
        gated.first_reason,
        gated.churn_probability,
        gated.mean_margin,
        gated.headroom_value,
        gated.value_at_risk,
        gated.recommended_action,
        gated.recommended_channel,
        gated.contact_blocked_by is null as contact_allowed,
        gated.contact_blocked_by,
        gated.marketing_contacts_30_days,
        gated.limit_30_days,
        dependence.relationship_dependence,
        dependence.dependence_coverage,
        dependence.has_single_contact_person,
        dependence.has_new_manager,
        dependence.lacks_recent_visit,
        dependence.has_known_competitor
    from gated
    inner join dependence on gated.customer_id = dependence.customer_id

)

select * from final
