with spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

scores as (

    select * from {{ ref('int_customer_churn_scored') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}

),

receivables as (

    select * from {{ ref('int_customer_receivables_graded') }}

),

contracts as (

    select * from {{ ref('int_contracts_judged') }}

),

complaints as (

    select * from {{ ref('int_complaints_clocked') }}

),

margins as (

    select * from {{ ref('int_customer_margins_measured') }}

),

headrooms as (

    select * from {{ ref('int_customer_headrooms_valued') }}

),

settings as (

    select closing_month from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters([
        'margin_mean_months', 'value_at_risk_months', 'win_back_months',
    ]) }}

),

shares as (

    {{ named_parameters(
        ['worklist_risk_minimum', 'spend_drop_share', 'win_back_share'],
        type='decimal(10, 6)',
    ) }}

),

closing_rows as (

    select spine.*
    from spine
    inner join settings on spine.month = settings.closing_month

),

expiring as (

    select distinct customer_id
    from contracts
    where status = 'expiring'

),

breached as (

    select distinct customer_id
    from complaints
    where is_open and (respond_breached or resolve_breached)

),

-- What threatens a customer that is still there; a customer that left is only to be won
-- back. What was not measured is no reason.
examined as (

    select
        closing_rows.customer_id,
        closing_rows.month_number,
        closing_rows.relationship,
        closing_rows.region_code,
        closing_rows.manager_id,
        closing_rows.is_ranked,
        scores.churn_probability,
        revenue.months_existing,
        closing_rows.is_ranked and expiring.customer_id is not null
            as is_contract_expiring,
        closing_rows.is_ranked
        and coalesce(scores.churn_probability >= shares.worklist_risk_minimum, false)
            as is_high_risk,
        closing_rows.is_ranked
        and coalesce(
            revenue.revenue < shares.spend_drop_share * revenue.avg_revenue_6m, false
        ) as is_spend_drop,
        closing_rows.is_ranked and breached.customer_id is not null
            as is_complaint_breached,
        closing_rows.is_ranked and coalesce(receivables.overdue_amount > 0, false)
            as is_overdue,
        closing_rows.relationship in ('left', 'competitor') as is_win_back
    from closing_rows
    cross join shares
    left join scores
        on
            closing_rows.customer_id = scores.customer_id
            and closing_rows.month_number = scores.month_number
    left join revenue
        on
            closing_rows.customer_id = revenue.customer_id
            and closing_rows.month_number = revenue.month_number
    left join receivables
        on
            closing_rows.customer_id = receivables.customer_id
            and closing_rows.month_number = receivables.month_number
    left join expiring on closing_rows.customer_id = expiring.customer_id
    left join breached on closing_rows.customer_id = breached.customer_id

),

listed as (

    select
        examined.*,
        concat_ws(
            ',',
            case when examined.is_contract_expiring then 'contract_expiring' end,
            case when examined.is_high_risk then 'high_risk' end,
            case when examined.is_spend_drop then 'spend_drop' end,
            case when examined.is_complaint_breached then 'complaint_breached' end,
            case when examined.is_overdue then 'overdue' end,
            case when examined.is_win_back then 'win_back' end
        ) as reasons,
        case
            when examined.is_contract_expiring then 'contract_expiring'
            when examined.is_high_risk then 'high_risk'
            when examined.is_spend_drop then 'spend_drop'
            when examined.is_complaint_breached then 'complaint_breached'
            when examined.is_overdue then 'overdue'
            else 'win_back'
        end as first_reason
    from examined
    where
        examined.is_contract_expiring
        or examined.is_high_risk
        or examined.is_spend_drop
        or examined.is_complaint_breached
        or examined.is_overdue
        or examined.is_win_back

),

-- Months without a row between leaving and returning earned and cost nothing, and
-- count as avg_revenue counts them.
recent_margins as (

    select
        listed.customer_id,
        {{ mean_money(
            'sum(margins.margin)',
            'max(least(listed.months_existing, parameters.margin_mean_months))',
        ) }} as mean_margin
    from listed
    cross join parameters
    inner join margins
        on
            listed.customer_id = margins.customer_id
            and listed.month_number - parameters.margin_mean_months
            < margins.month_number
            and listed.month_number >= margins.month_number
    where listed.is_ranked
    group by listed.customer_id

),

active_months as (

    select
        listed.customer_id,
        margins.margin,
        row_number() over (
            partition by listed.customer_id order by margins.month_number desc
        ) as recency
    from listed
    inner join spine
        on
            listed.customer_id = spine.customer_id
            and spine.active_subscriptions > 0
    inner join margins
        on
            spine.customer_id = margins.customer_id
            and spine.month_number = margins.month_number
    where listed.is_win_back

),

former_margins as (

    select
        active_months.customer_id,
        {{ mean_money('sum(active_months.margin)', 'count(*)') }} as mean_margin
    from active_months
    cross join parameters
    where active_months.recency <= parameters.win_back_months
    group by active_months.customer_id

),

final as (

    select
        listed.customer_id,
        listed.month_number,
        listed.relationship,
        listed.region_code,
        listed.manager_id,
        listed.reasons,
        listed.first_reason,
        listed.churn_probability,
        coalesce(recent_margins.mean_margin, former_margins.mean_margin)
            as mean_margin,
        case when listed.is_ranked then headrooms.headroom_value end as headroom_value,
        case
            when listed.is_win_back
                then {{ chance_of_money(
                    'shares.win_back_share',
                    'former_margins.mean_margin * parameters.value_at_risk_months',
                ) }}
            else {{ chance_of_money(
                'listed.churn_probability',
                'recent_margins.mean_margin * parameters.value_at_risk_months'
                ~ ' + coalesce(headrooms.headroom_value, 0)',
            ) }}
        end as value_at_risk
    from listed
    cross join parameters
    cross join shares
    left join recent_margins on listed.customer_id = recent_margins.customer_id
    left join former_margins on listed.customer_id = former_margins.customer_id
    left join headrooms
        on
            listed.customer_id = headrooms.customer_id
            and listed.month_number = headrooms.month_number

)

select * from final
