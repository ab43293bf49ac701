with source as (

    select * from {{ source('raw_customer', 'subscriptions') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(subscription_id as varchar) as subscription_id,
        cast(account_id as varchar) as account_id,
        cast(contract_id as varchar) as contract_id,
        cast(product_code as varchar) as product_code,
        cast(plan_code as varchar) as plan_code,
        cast(service_number as varchar) as service_number,
        cast(deactivation_reason as varchar) as deactivation_reason,
        cast(activated_on as date) as activated_on,
        cast(deactivated_on as date) as deactivated_on,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
