with finished_runs as (

    select * from {{ ref('stg_control__finished_runs') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

validation_results as (

    select * from {{ ref('stg_control__validation_results') }}

),

accepted as (

    select
        run_id,
        count(*) as accepted_failures
    from validation_results
    where accepted_by is not null
    group by run_id

),

-- The run that builds this table: a reader sees the table only if the run publishes.
this_run as (

    select
        settings.run_id,
        'published' as status,
        settings.code_version,
        settings.config_sha256,
        settings.policy_sha256,
        cast(null as varchar) as manifest_sha256,
        cast(null as varchar) as previous_manifest_sha256,
        coalesce(accepted.accepted_failures, 0) as accepted_failures,
        settings.closing_month,
        settings.started_at,
        cast(null as timestamp) as finished_at
    from settings
    left join accepted on settings.run_id = accepted.run_id

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
        accepted_failures,
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
