with contract_versions as (

    select * from {{ ref('int_contracts_deduplicated') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

settings as (

    select {{ month_end('closing_month') }} as closing_day
    from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters(['expiring_days', 'renewal_days']) }}

),

known_versions as (

    select contract_versions.*
    from contract_versions
    inner join customers on contract_versions.customer_id = customers.customer_id

),

latest as (

    {{ latest_version('known_versions', 'contract_id') }}

),

-- Signed is what makes a contract: it may renew another before it starts itself.
contracts as (

    select
        latest.contract_id,
        latest.customer_id,
        latest.signed_on,
        latest.starts_on,
        latest.ends_on,
        latest.starts_on <= settings.closing_day as is_started,
        {{ days_between('settings.closing_day', 'latest.ends_on') }} as days_left
    from latest
    cross join settings
    where latest.signed_on <= settings.closing_day

),

renewed as (

    select distinct contracts.contract_id
    from contracts
    inner join contracts as successors
        on
            contracts.customer_id = successors.customer_id
            and contracts.ends_on < successors.ends_on
    cross join parameters
    where
        {{ days_between('contracts.ends_on', 'successors.starts_on') }}
        between -parameters.renewal_days and parameters.renewal_days

),

final as (

    select
        contracts.contract_id,
        contracts.customer_id,
        case
            when renewed.contract_id is not null then 'renewed'
            when contracts.days_left > parameters.expiring_days then 'running'
            when contracts.days_left >= 0 then 'expiring'
            when contracts.days_left > -parameters.renewal_days then 'ended_pending'
            else 'lapsed'
        end as status,
        contracts.days_left,
        contracts.is_started,
        contracts.signed_on,
        contracts.starts_on,
        contracts.ends_on,
        {{ month_of('contracts.ends_on') }} as end_month,
        {{ month_number('contracts.ends_on') }} as end_month_number
    from contracts
    cross join parameters
    left join renewed on contracts.contract_id = renewed.contract_id

)

select * from final
