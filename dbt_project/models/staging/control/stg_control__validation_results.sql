{{ config(tags=['evidence']) }}

with source as (

    select * from {{ source('control', 'validation_results') }}

),

renamed as (

    select
        cast(run_id as varchar) as run_id,
        cast(suite as varchar) as suite,
        cast(expectation_id as varchar) as expectation_id,
        cast(layer as varchar) as layer,
        cast(dataset as varchar) as dataset,
        cast(column_name as varchar) as column_name,
        cast(expectation as varchar) as expectation,
        cast(severity as varchar) as severity,
        cast(success as boolean) as success,
        cast(evaluated as bigint) as evaluated,
        cast(unexpected as bigint) as unexpected,
        cast(unexpected_share as double) as unexpected_share,
        cast(affected_customers as bigint) as affected_customers,
        cast(affected_revenue as decimal(18, 4)) as affected_revenue,
        cast(observed as varchar) as observed,
        cast(affected_tiers as varchar) as affected_tiers,
        cast(owner as varchar) as owner,
        cast(rule as varchar) as rule,
        cast(accepted_by as varchar) as accepted_by,
        cast(accepted_reason as varchar) as accepted_reason
    from source

)

select * from renamed
