with source as (

    select * from {{ source('control', 'finished_runs') }}

),

renamed as (

    select
        cast(run_id as varchar) as run_id,
        cast(started_at as timestamp) as started_at,
        cast(finished_at as timestamp) as finished_at,
        cast(status as varchar) as status,
        cast(closing_month as date) as closing_month,
        cast(code_version as varchar) as code_version,
        cast(config_sha256 as varchar) as config_sha256,
        cast(policy_sha256 as varchar) as policy_sha256,
        cast(manifest_sha256 as varchar) as manifest_sha256,
        cast(previous_manifest_sha256 as varchar) as previous_manifest_sha256,
        cast(accepted_failures as bigint) as accepted_failures
    from source

)

select * from renamed
