with account_versions as (

    select * from {{ ref('int_accounts_owned') }}

),

ranged as (

    {{ version_ranges('account_versions', 'account_id') }}

),

compared as (

    select
        account_id,
        customer_id,
        month_from_number,
        lag(customer_id) over (
            partition by account_id order by month_from_number
        ) as previous_customer_id
    from ranged

),

-- Versions that change something else belong to the range before them.
ownership_changes as (

    select * from compared
    where previous_customer_id is null or previous_customer_id <> customer_id

),

final as (

    select
        account_id,
        customer_id,
        month_from_number,
        lead(month_from_number, 1, {{ open_month_number() }}) over (
            partition by account_id order by month_from_number
        ) as month_to_number
    from ownership_changes

)

select * from final
