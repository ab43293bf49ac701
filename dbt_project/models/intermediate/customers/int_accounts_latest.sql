with account_versions as (

    select * from {{ ref('int_accounts_owned') }}

),

latest as (

    {{ latest_version('account_versions', 'account_id') }}

),

final as (

    select
        account_id,
        currency,
        payment_mode,
        payment_method,
        opened_on,
        closed_on
    from latest

)

select * from final
