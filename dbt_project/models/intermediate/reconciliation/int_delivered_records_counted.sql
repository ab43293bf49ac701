-- How many customers and complaints were delivered, and how many of the complaints
-- stand in no mart: no customer is known for them, or they were opened after the
-- closing month.
with customers as (

    select distinct customer_id from {{ ref('int_customers_deduplicated') }}

),

complaint_versions as (

    select * from {{ ref('int_complaints_deduplicated') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

known_versions as (

    select complaint_versions.*
    from complaint_versions
    inner join customers on complaint_versions.customer_id = customers.customer_id

),

known_latest as (

    {{ latest_version('known_versions', 'complaint_id') }}

),

customers_counted as (

    select count(*) as customers from customers

),

complaints_counted as (

    select count(distinct complaint_id) as complaints from complaint_versions

),

known_counted as (

    select
        count(*) as complaints_known,
        count(
            case
                when {{ month_of('known_latest.opened_at') }} > settings.closing_month
                    then 1
            end
        ) as complaints_of_later_months
    from known_latest
    cross join settings

),

final as (

    select
        customers_counted.customers,
        complaints_counted.complaints,
        complaints_counted.complaints - known_counted.complaints_known
            as complaints_without_customer,
        known_counted.complaints_of_later_months
    from customers_counted
    cross join complaints_counted
    cross join known_counted

)

select * from final
