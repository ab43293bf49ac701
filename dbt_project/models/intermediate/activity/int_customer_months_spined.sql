{{ config(materialized='by_month') }}
with listed_months as (

    select * from {{ ref('int_customer_months_listed') }}
    where {{ is_needed('month_number') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

starts as (

    select * from {{ ref('int_customers_started') }}

),

activity as (

    select * from {{ ref('int_customer_activity_ranged') }}

),

silences as (

    select * from {{ ref('int_customer_silences_counted') }}

),

parameters as (

    {{ named_parameters([
        'historic_months',
        'returned_lookback_months',
        'dormant_active_months',
        'dormant_silent_months',
    ]) }}

),

joined as (

    select
        listed_months.customer_id,
        listed_months.month,
        listed_months.month_number,
        listed_months.is_published,
        starts.first_active_month,
        starts.first_active_month_number,
        starts.first_activation_number,
        customer_versions.region_code,
        customer_versions.region_class,
        customers.legal_form,
        customers.industry,
        customer_versions.manager_id,
        customer_versions.designation,
        customer_versions.strategic_flag,
        customer_versions.group_agreement,
        customer_versions.competitor,
        customers.group_id,
        activity.active_since_number,
        activity.returned_number,
        activity.inactive_since_number,
        activity.is_ported_out,
        coalesce(silences.silent_months, 0) as silent_months,
        coalesce(activity.active_subscriptions, 0) as active_subscriptions,
        coalesce(activity.active_accounts, 0) as active_accounts,
        coalesce(activity.products, 0) as products,
        coalesce(activity.product_families, 0) as product_families
    from listed_months
    inner join customers on listed_months.customer_id = customers.customer_id
    inner join customer_versions
        on
            listed_months.customer_id = customer_versions.customer_id
            and listed_months.month_number >= customer_versions.month_from_number
            and listed_months.month_number < customer_versions.month_to_number
    left join starts on listed_months.customer_id = starts.customer_id
    left join activity
        on
            listed_months.customer_id = activity.customer_id
            and listed_months.month_number >= activity.month_from_number
            and listed_months.month_number < activity.month_to_number
    left join silences
        on
            listed_months.customer_id = silences.customer_id
            and listed_months.month_number = silences.month_number

),

-- Rulebook 2: the first state that matches is the relationship.
related as (

    select
        joined.*,
        case
            when
                joined.first_activation_number is null
                or joined.first_activation_number > joined.month_number
                then 'prospect'
            when
                joined.active_subscriptions = 0
                and joined.month_number
                >= joined.inactive_since_number + parameters.historic_months
                then 'historic'
            when
                joined.active_subscriptions = 0
                and (joined.competitor is not null or joined.is_ported_out)
                then 'competitor'
            when joined.active_subscriptions = 0 then 'left'
            when
                joined.month_number
                < joined.returned_number + parameters.returned_lookback_months
                then 'returned'
            when
                joined.month_number - joined.active_since_number
                >= parameters.dormant_active_months
                and joined.silent_months > parameters.dormant_silent_months
                then 'dormant'
            else 'on_net'
        end as relationship
    from joined
    cross join parameters

),

final as (

    select
        customer_id,
        month,
        month_number,
        is_published,
        first_active_month,
        first_active_month_number,
        case
            when month_number >= first_active_month_number
                then month_number - first_active_month_number
        end as tenure_months,
        region_code,
        region_class,
        legal_form,
        industry,
        manager_id,
        designation,
        strategic_flag,
        group_agreement,
        competitor,
        group_id,
        active_since_number,
        relationship,
        relationship in ('on_net', 'returned', 'dormant') as is_ranked,
        active_subscriptions,
        active_accounts,
        products,
        product_families
    from related

)

select * from final
