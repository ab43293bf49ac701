with source as (

    select * from {{ source('raw_customer', 'customers') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(customer_id as varchar) as customer_id,
        cast(parent_customer_id as varchar) as parent_customer_id,
        cast(manager_id as varchar) as manager_id,
        cast(customer_name as varchar) as customer_name,
        cast(legal_form as varchar) as legal_form,
        cast(industry as varchar) as industry,
        cast(region_code as varchar) as region_code,
        cast(designation as varchar) as designation,
        cast(registration_number as varchar) as registration_number,
        cast(gender as varchar) as gender,
        cast(occupation as varchar) as occupation,
        cast(contact_name as varchar) as contact_name,
        cast(contact_phone as varchar) as contact_phone,
        cast(contact_email as varchar) as contact_email,
        cast(address as varchar) as address,
        cast(competitor as varchar) as competitor,
        cast(birth_year as bigint) as birth_year,
        cast(strategic_flag as boolean) as strategic_flag,
        cast(group_agreement as boolean) as group_agreement,
        cast(marketing_consent as boolean) as marketing_consent,
        cast(third_party_consent as boolean) as third_party_consent,
        cast(registered_on as date) as registered_on,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
