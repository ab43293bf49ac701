with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where is_published

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

activity as (

    select * from {{ ref('int_customer_activity_counted') }}

),

kinds as (

    select * from {{ ref('int_customer_kinds_assigned') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}

),

receivables as (

    select * from {{ ref('int_customer_receivables_graded') }}

),

contacts as (

    select * from {{ ref('int_contacts_dated') }}
    where channel = 'visit'

),

manager_versions as (

    select * from {{ ref('int_managers_deduplicated') }}

),

contracts as (

    select * from {{ ref('int_contracts_judged') }}

),

complaints as (

    select * from {{ ref('int_complaints_clocked') }}

),

parameters as (

    {{ named_parameters(['key_visit_months', 'senior_visit_months']) }}

),

latest_managers as (

    {{ latest_version('manager_versions', 'manager_id') }}

),

portfolios as (

    select
        customer_id,
        month,
        month_number,
        manager_id,
        is_ranked
    from spine
    where manager_id is not null

),

customers_summed as (

    select
        portfolios.manager_id,
        portfolios.month,
        portfolios.month_number,
        count(case when portfolios.is_ranked then 1 end) as customers,
        {{ sum_money('coalesce(revenue.revenue, 0)') }} as revenue,
        {{ sum_money('coalesce(revenue_before.revenue, 0)') }} as revenue_before,
        {{ sum_money('coalesce(receivables.outstanding_amount, 0)') }}
            as outstanding_amount,
        {{ sum_money('coalesce(receivables.overdue_amount, 0)') }} as overdue_amount
    from portfolios
    left join revenue
        on
            portfolios.customer_id = revenue.customer_id
            and portfolios.month_number = revenue.month_number
    left join revenue as revenue_before
        on
            portfolios.customer_id = revenue_before.customer_id
            and portfolios.month_number - 1 = revenue_before.month_number
    left join receivables
        on
            portfolios.customer_id = receivables.customer_id
            and portfolios.month_number = receivables.month_number
    group by portfolios.manager_id, portfolios.month, portfolios.month_number

),

-- A customer that leaves is lost by the manager it had at the end of the month before;
-- the spine has no rows before the first month of the run. Who is active is ranked.
active_before as (

    select
        activity.customer_id,
        activity.month_number + 1 as month_number,
        customer_versions.manager_id
    from activity
    inner join customer_versions
        on
            activity.customer_id = customer_versions.customer_id
            and activity.month_number >= customer_versions.month_from_number
            and activity.month_number < customer_versions.month_to_number
    where customer_versions.manager_id is not null

),

departures_counted as (

    select
        active_before.manager_id,
        active_before.month_number,
        count(*) as customers_before,
        count(case when activity.customer_id is null then 1 end) as customers_left
    from active_before
    left join activity
        on
            active_before.customer_id = activity.customer_id
            and active_before.month_number = activity.month_number
    group by active_before.manager_id, active_before.month_number

),

-- Whether a contract that has ended is renewed is known once its time has passed.
contracts_counted as (

    select
        portfolios.manager_id,
        portfolios.month_number,
        count(*) as contracts_decided,
        count(case when contracts.status = 'renewed' then 1 end) as contracts_renewed
    from contracts
    inner join portfolios
        on
            contracts.customer_id = portfolios.customer_id
            and contracts.end_month_number = portfolios.month_number
    where contracts.status in ('renewed', 'lapsed')
    group by portfolios.manager_id, portfolios.month_number

),

complaints_counted as (

    select
        portfolios.manager_id,
        portfolios.month_number,
        count(*) as service_outcomes,
        count(case when not complaints.resolve_breached then 1 end) as service_kept
    from complaints
    inner join portfolios
        on
            complaints.customer_id = portfolios.customer_id
            and complaints.opened_month = portfolios.month
    where complaints.resolve_breached is not null
    group by portfolios.manager_id, portfolios.month_number

),

visit_months as (

    select
        contacts.customer_id,
        contacts.month_number,
        max(case when latest_managers.grade = 'senior' then 1 else 0 end) = 1
            as is_senior
    from contacts
    left join latest_managers on contacts.manager_id = latest_managers.manager_id
    group by contacts.customer_id, contacts.month_number

),

key_portfolios as (

    select portfolios.*
    from portfolios
    inner join kinds
        on
            portfolios.customer_id = kinds.customer_id
            and portfolios.month_number = kinds.month_number
    where
        portfolios.is_ranked
        and kinds.segment = 'key'

),

key_customers_visited as (

    select
        key_portfolios.manager_id,
        key_portfolios.month_number,
        key_portfolios.customer_id,
        max(
            case
                when
                    visit_months.month_number
                    > key_portfolios.month_number - parameters.key_visit_months
                    then 1
                else 0
            end
        ) as is_visited,
        max(
            case
                when
                    visit_months.is_senior
                    and visit_months.month_number
                    > key_portfolios.month_number - parameters.senior_visit_months
                    then 1
                else 0
            end
        ) as is_visited_by_senior
    from key_portfolios
    cross join parameters
    left join visit_months
        on
            key_portfolios.customer_id = visit_months.customer_id
            and key_portfolios.month_number >= visit_months.month_number
    group by
        key_portfolios.manager_id,
        key_portfolios.month_number,
        key_portfolios.customer_id

),

visits_counted as (

    select
        manager_id,
        month_number,
        count(*) as key_customers,
        sum(is_visited) as key_customers_visited,
        sum(is_visited_by_senior) as key_customers_visited_by_senior
    from key_customers_visited
    group by manager_id, month_number

),

final as (

    select
        customers_summed.manager_id,
        customers_summed.month,
        customers_summed.month_number,
        customers_summed.customers,
        customers_summed.revenue,
        customers_summed.revenue_before,
        customers_summed.outstanding_amount,
        customers_summed.overdue_amount,
        coalesce(departures_counted.customers_before, 0) as customers_before,
        coalesce(departures_counted.customers_left, 0) as customers_left,
        coalesce(contracts_counted.contracts_decided, 0) as contracts_decided,
        coalesce(contracts_counted.contracts_renewed, 0) as contracts_renewed,
        coalesce(complaints_counted.service_outcomes, 0) as service_outcomes,
        coalesce(complaints_counted.service_kept, 0) as service_kept,
        coalesce(visits_counted.key_customers, 0) as key_customers,
        cast(coalesce(visits_counted.key_customers_visited, 0) as bigint)
            as key_customers_visited,
        cast(coalesce(visits_counted.key_customers_visited_by_senior, 0) as bigint)
            as key_customers_visited_by_senior
    from customers_summed
    left join departures_counted
        on
            customers_summed.manager_id = departures_counted.manager_id
            and customers_summed.month_number = departures_counted.month_number
    left join contracts_counted
        on
            customers_summed.manager_id = contracts_counted.manager_id
            and customers_summed.month_number = contracts_counted.month_number
    left join complaints_counted
        on
            customers_summed.manager_id = complaints_counted.manager_id
            and customers_summed.month_number = complaints_counted.month_number
    left join visits_counted
        on
            customers_summed.manager_id = visits_counted.manager_id
            and customers_summed.month_number = visits_counted.month_number

)

select * from final
