{{ config(materialized='by_month', tells_churn=true) }}
with kinds as (

    select * from {{ ref('int_customer_kinds_judged') }}
    where {{ is_needed('month_number') }}

),

layers as (

    select * from {{ ref('int_customer_value_layered') }}
    where {{ is_needed('month_number') }}

),

parameters as (

    select
        max(case when name = 'strategic_value_score' then value end)
            as strategic_value_score,
        max(case when name = 'strategic_potential_share' then value end)
            as strategic_potential_share
    from {{ ref('parameters') }}

),

eligible as (

    select
        kinds.customer_id,
        kinds.month,
        kinds.month_number,
        layers.value_score,
        layers.potential_value,
        kinds.is_ranked and kinds.legal_form = 'organisation' as is_organisation,
        kinds.has_competitor,
        kinds.is_high_value
    from kinds
    inner join layers
        on
            kinds.customer_id = layers.customer_id
            and kinds.month_number = layers.month_number
    where
        (kinds.is_ranked and kinds.legal_form = 'organisation')
        or kinds.has_competitor

),

courted as (

    select
        eligible.customer_id,
        eligible.month,
        eligible.month_number
    from eligible
    cross join parameters
    where
        eligible.has_competitor
        and eligible.value_score >= parameters.strategic_value_score

),

organisations_ranked as (

    select
        customer_id,
        month,
        month_number,
        potential_value,
        is_high_value,
        rank() over (
            partition by month_number order by potential_value desc nulls last
        ) as potential_rank,
        count(*) over (partition by month_number) as organisations
    from eligible
    where is_organisation

),

promising as (

    select
        organisations_ranked.customer_id,
        organisations_ranked.month,
        organisations_ranked.month_number
    from organisations_ranked
    cross join parameters
    where
        not organisations_ranked.is_high_value
        and organisations_ranked.potential_value is not null
        and organisations_ranked.potential_rank <= ceil(
            parameters.strategic_potential_share * organisations_ranked.organisations
        )

),

final as (

    select * from courted
    union
    select * from promising

)

select * from final
