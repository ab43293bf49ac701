with spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

contacts as (

    select * from {{ ref('int_contacts_dated') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}

),

settings as (

    select
        closing_month,
        {{ month_end('closing_month') }} as closing_day,
        {{ month_number('closing_month') }} as closing_number
    from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters([
        'dependence_contact_months',
        'dependence_manager_months',
        'dependence_visit_days',
    ]) }}

),

coverage as (

    select
        max(case when feeds.feed = 'contacts' then 1 else 0 end) = 1 as has_contacts,
        max(case when feeds.feed = 'managers' then 1 else 0 end) = 1 as has_managers
    from settings
    left join feeds
        on
            settings.closing_number >= feeds.first_month_number
            and settings.closing_number <= feeds.last_month_number

),

-- Mass messages name no manager: they tell nothing of who knows the customer.
contacts_counted as (

    select
        contacts.customer_id,
        count(
            distinct case
                when
                    contacts.month_number
                    > settings.closing_number - parameters.dependence_contact_months
                    then contacts.manager_id
            end
        ) as contact_persons,
        max(
            case
                when
                    contacts.channel = 'visit'
                    and {{ days_between(
                        'contacts.contacted_on', 'settings.closing_day'
                    ) }} < parameters.dependence_visit_days
                    then 1
                else 0
            end
        ) = 1 as has_recent_visit
    from contacts
    cross join settings
    cross join parameters
    group by contacts.customer_id

),

-- The managers at the ends of the window's months and of the month before it; months
-- without one are no change.
managers_counted as (

    select
        customer_versions.customer_id,
        count(distinct customer_versions.manager_id) as managers
    from customer_versions
    cross join settings
    cross join parameters
    where
        customer_versions.month_from_number <= settings.closing_number
        and customer_versions.month_to_number
        > settings.closing_number - parameters.dependence_manager_months
    group by customer_versions.customer_id

),

measured as (

    select
        spine.customer_id,
        case
            when coverage.has_contacts
                then coalesce(contacts_counted.contact_persons, 0) = 1
        end as has_single_contact_person,
        case when coverage.has_managers then managers_counted.managers > 1 end
            as has_new_manager,
        case
            when coverage.has_contacts
                then not coalesce(contacts_counted.has_recent_visit, false)
        end as lacks_recent_visit,
        spine.competitor is not null as has_known_competitor
    from spine
    inner join settings on spine.month = settings.closing_month
    cross join coverage
    left join contacts_counted on spine.customer_id = contacts_counted.customer_id
    left join managers_counted on spine.customer_id = managers_counted.customer_id

),

final as (

    select
        customer_id,
        cast(
            case when has_single_contact_person then 1 else 0 end
            + case when has_new_manager then 1 else 0 end
            + case when lacks_recent_visit then 1 else 0 end
            + case when has_known_competitor then 1 else 0 end
            as bigint
        ) as relationship_dependence,
        nullif(
            concat_ws(
                ',',
                case when has_single_contact_person is null then 'contacts' end,
                case when has_new_manager is null then 'managers' end
            ),
            ''
        ) as dependence_coverage,
        has_single_contact_person,
        has_new_manager,
        lacks_recent_visit,
        has_known_competitor
    from measured

)

select * from final
