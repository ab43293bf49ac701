with proposal_versions as (

    select * from {{ ref('int_proposals_deduplicated') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

products as (

    select * from {{ ref('products') }}

),

settings as (

    select {{ month_end('closing_month') }} as closing_day
    from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters(['discount_rate_year'], type='decimal(10, 6)') }}

),

known_versions as (

    select proposal_versions.*
    from proposal_versions
    inner join customers on proposal_versions.customer_id = customers.customer_id

),

latest as (

    {{ latest_version('known_versions', 'proposal_id') }}

),

-- A decision after the closing month has not been taken yet.
proposals as (

    select
        latest.proposal_id,
        latest.customer_id,
        coalesce(products.product_code, 'UNKNOWN') as product_code,
        case
            when latest.decided_on > settings.closing_day then 'open'
            else latest.status
        end as status,
        latest.term_months,
        cast(latest.monthly_price as decimal(18, 4)) as monthly_price,
        cast(latest.monthly_cost as decimal(18, 4)) as monthly_cost,
        cast(coalesce(latest.one_off_price, 0) as decimal(18, 4)) as one_off_price,
        cast(coalesce(latest.one_off_cost, 0) as decimal(18, 4)) as one_off_cost,
        cast(latest.monthly_price - latest.monthly_cost as decimal(18, 4))
            as monthly_margin,
        cast(
            coalesce(latest.one_off_price, 0) - coalesce(latest.one_off_cost, 0)
            as decimal(18, 4)
        ) as one_off_margin,
        latest.discount_rate,
        latest.discount_limit,
        latest.proposed_on,
        case
            when latest.decided_on <= settings.closing_day then latest.decided_on
        end as decided_on
    from latest
    cross join settings
    left join products on latest.product_code = products.product_code
    where latest.proposed_on <= settings.closing_day

),

discounting as (

    select
        power(
            1 + cast(discount_rate_year as double), cast(-1 as double) / 12
        ) as month_factor
    from parameters

),

-- The worth today of 1 at the end of every month of the term: a geometric series.
annuities as (

    select
        terms.term_months,
        case
            when discounting.month_factor = 1 then cast(terms.term_months as double)
            else
                discounting.month_factor
                * (1 - power(discounting.month_factor, terms.term_months))
                / (1 - discounting.month_factor)
        end as annuity
    from (select distinct term_months from proposals) as terms
    cross join discounting

),

-- Whole cents keep the division that finds the month of payback exact.
final as (

    select
        proposals.proposal_id,
        proposals.customer_id,
        proposals.product_code,
        proposals.status,
        proposals.term_months,
        proposals.monthly_margin,
        proposals.one_off_margin,
        cast(
            round(
                cast(proposals.one_off_margin as double)
                + cast(proposals.monthly_margin as double) * annuities.annuity,
                4
            ) as decimal(18, 4)
        ) as npv,
        case
            when proposals.one_off_margin >= 0 then cast(0 as bigint)
            when
                proposals.one_off_margin
                + proposals.monthly_margin * proposals.term_months >= 0
                then cast(
                    ceil(
                        cast(-proposals.one_off_margin * 100 as double)
                        / cast(proposals.monthly_margin * 100 as double)
                    ) as bigint
                )
        end as payback_month,
        {{ share_of(
            '(proposals.one_off_margin'
            ~ ' + proposals.monthly_margin * proposals.term_months)',
            '(proposals.one_off_price'
            ~ ' + proposals.monthly_price * proposals.term_months)'
        ) }} as margin_share,
        proposals.discount_rate,
        proposals.discount_limit,
        proposals.discount_rate > proposals.discount_limit as over_discount_limit,
        proposals.monthly_price < proposals.monthly_cost as below_cost,
        proposals.proposed_on,
        proposals.decided_on
    from proposals
    inner join annuities on proposals.term_months = annuities.term_months

)

select * from final
