{{ config(materialized='by_month', month='month_number') }}
{%- set window = (
    'greatest(' ~ parameter_value('delivered_contact_months') ~ ', '
    ~ parameter_value('delivered_survey_months') ~ ')'
) -%}
with contacts as (

    select * from {{ ref('int_contacts_deduplicated') }}
    where {{ is_needed(month_number('contacted_at'), window) }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

managers as (

    select distinct manager_id from {{ ref('int_managers_deduplicated') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}
    where {{ is_needed('month_number') }}

),

parameters as (

    {{ named_parameters(['delivered_contact_months', 'delivered_survey_months']) }}

),

-- A manager who reached nobody has served nobody; who came to the counter has come.
contact_months as (

    select
        contacts.customer_id,
        {{ month_number('contacts.contacted_at') }} as contact_number,
        sum(
            case
                when
                    managers.manager_id is not null
                    and coalesce(contacts.outcome, 'reached') <> 'no_answer'
                    then 1
                else 0
            end
        ) as manager_contacts,
        sum(case when contacts.channel = 'counter' then 1 else 0 end)
            as counter_contacts,
        sum(case when contacts.purpose = 'survey' then contacts.score else 0 end)
            as survey_score,
        count(case when contacts.purpose = 'survey' then contacts.score end)
            as survey_answers
    from contacts
    inner join customers on contacts.customer_id = customers.customer_id
    left join managers on contacts.manager_id = managers.manager_id
    group by contacts.customer_id, {{ month_number('contacts.contacted_at') }}

),

windowed as (

    select
        contact_months.*,
        months.month_number,
        months.month_number
        < contact_months.contact_number + parameters.delivered_contact_months
            as is_contact,
        months.month_number
        < contact_months.contact_number + parameters.delivered_survey_months
            as is_survey
    from contact_months
    cross join parameters
    inner join months
        on
            contact_months.contact_number <= months.month_number
            and months.month_number
            < contact_months.contact_number + greatest(
                parameters.delivered_contact_months, parameters.delivered_survey_months
            )

),

final as (

    select
        customer_id,
        month_number,
        sum(case when is_contact then manager_contacts else 0 end) as manager_contacts,
        sum(case when is_contact then counter_contacts else 0 end) as counter_contacts,
        sum(case when is_survey then coalesce(survey_score, 0) else 0 end)
            as survey_score,
        sum(case when is_survey then survey_answers else 0 end) as survey_answers
    from windowed
    group by customer_id, month_number

)

select * from final
