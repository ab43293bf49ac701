with source as (

    select * from {{ source('control', 'run_settings') }}

),

renamed as (

    select
        cast(run_id as varchar) as run_id,
        cast(started_at as timestamp) as started_at,
        cast(reporting_currency as varchar) as reporting_currency,
        cast(tier_policy as varchar) as tier_policy,
        cast(timezone as varchar) as timezone,
        cast(first_month as date) as first_month,
        cast(closing_month as date) as closing_month,
        cast(code_version as varchar) as code_version,
        cast(config_sha256 as varchar) as config_sha256,
        cast(policy_sha256 as varchar) as policy_sha256
    from source

)

select * from renamed
