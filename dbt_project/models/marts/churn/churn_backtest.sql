with risks as (

    select * from {{ ref('int_customer_churn_scored') }}
    where left_within_3m is not null

),

prospects as (

    select * from {{ ref('int_customer_prospects_measured') }}

),

models as (

    select * from {{ ref('churn_model') }}

),

parameters as (

    {{ named_parameters(['backtest_groups', 'churn_value_months']) }}

),

-- The months of the test are foretold by the fit that never saw them.
foretold as (

    select
        risks.customer_id,
        risks.month,
        coalesce(risks.evaluated_probability, risks.churn_probability) as probability,
        risks.evaluated_probability is null
        and models.model = 'logistic_regression'
        and risks.month >= models.first_train_month as is_in_sample,
        risks.left_within_3m,
        cast(
            greatest(coalesce(prospects.mean_margin, 0), 0)
            * parameters.churn_value_months as decimal(18, 4)
        ) as value_at_stake
    from risks
    inner join prospects
        on
            risks.customer_id = prospects.customer_id
            and risks.month_number = prospects.month_number
    cross join models
    cross join parameters

),

placed as (

    select
        foretold.*,
        row_number() over (
            partition by foretold.month
            order by foretold.probability desc, foretold.customer_id asc
        ) as place,
        count(*) over (partition by foretold.month) as places
    from foretold

),

grouped as (

    select
        placed.*,
        cast(
            floor((placed.place - 1) * parameters.backtest_groups / placed.places)
            as integer
        ) + 1 as decile
    from placed
    cross join parameters

),

final as (

    select
        month,
        decile,
        count(*) as customers,
        cast(sum(probability) as decimal(18, 6)) as predicted,
        cast(sum(case when left_within_3m then 1 else 0 end) as bigint) as realised,
        {{ sum_money(chance_of_money('probability', 'value_at_stake')) }}
            as predicted_value,
        {{ sum_money('case when left_within_3m then value_at_stake else 0 end') }}
            as realised_value,
        max(case when is_in_sample then 1 else 0 end) = 1 as is_in_sample
    from grouped
    group by month, decile

)

select * from final
