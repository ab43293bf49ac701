with validation_results as (

    select * from {{ ref('stg_control__validation_results') }}

)

select
    run_id,
    suite,
    expectation_id,
    layer,
    dataset,
    column_name as "column",
    expectation,
    severity,
    owner,
    rule,
    observed,
    affected_tiers,
    accepted_by,
    accepted_reason,
    evaluated,
    unexpected,
    affected_customers,
    affected_revenue,
    unexpected_share,
    success
from validation_results
