with finished_runs as (

    select * from {{ ref('stg_control__finished_runs') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

-- The run that builds this table: a reader sees the table only if the run publishes.
this_run as (

    select
        run_id,
        'published' as status,
        code_version,
        config_sha256,
        policy_sha256,
        cast(null as varchar) as manifest_sha256,
        cast(null as varchar) as previous_manifest_sha256,
        closing_month,
        started_at,
        cast(null as timestamp) as finished_at
    from settings

),

earlier_runs as (

    select
        run_id,
        status,
        code_version,
        config_sha256,
        policy_sha256,
        manifest_sha256,
        previous_manifest_sha256,
        closing_month,
        started_at,
        finished_at
    from finished_runs
    where run_id not in (select settings.run_id from settings)

),

final as (

    select * from this_run
    union all
    select * from earlier_runs

)

select * from final
