with treated as (

    select * from {{ ref('int_campaign_customers_treated') }}

),

spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where is_published

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}

),

margins as (

    select * from {{ ref('int_customer_margins_measured') }}

),

parameters as (

    {{ named_parameters(['uplift_months', 'uplift_minimum']) }}

),

cells as (

    select
        campaign_id,
        contact_number,
        tier_code,
        region_code,
        count(*) as treated_customers
    from treated
    where
        is_measured
        and tier_code is not null
    group by campaign_id, contact_number, tier_code, region_code

),

-- Only what can count is worked out: the customers of cells with enough treated ones.
places as (

    select distinct
        cells.contact_number,
        cells.tier_code,
        cells.region_code
    from cells
    cross join parameters
    where cells.treated_customers >= parameters.uplift_minimum

),

population as (

    select
        places.contact_number,
        places.tier_code,
        places.region_code,
        spine.customer_id
    from places
    inner join spine
        on
            places.contact_number - 1 = spine.month_number
            and places.region_code = spine.region_code
    inner join tiers
        on
            spine.customer_id = tiers.customer_id
            and spine.month_number = tiers.month_number
            and places.tier_code = tiers.tier_code

),

margins_summed as (

    select
        population.contact_number,
        population.tier_code,
        population.region_code,
        population.customer_id,
        {{ sum_money(
            'case when margins.month_number < population.contact_number'
            ~ ' then margins.margin end'
        ) }} as margin_before,
        count(case when margins.month_number < population.contact_number then 1 end)
            as months_before,
        {{ sum_money(
            'case when margins.month_number > population.contact_number'
            ~ ' then margins.margin end'
        ) }} as margin_after,
        count(case when margins.month_number > population.contact_number then 1 end)
            as months_after
    from population
    cross join parameters
    inner join margins
        on
            population.customer_id = margins.customer_id
            and margins.month_number
            >= population.contact_number - parameters.uplift_months
            and margins.month_number
            <= population.contact_number + parameters.uplift_months
    group by
        population.contact_number,
        population.tier_code,
        population.region_code,
        population.customer_id

),

-- A mean is over the months in which the customer has a margin, 0 where it has none.
changes as (

    select
        contact_number,
        tier_code,
        region_code,
        customer_id,
        coalesce({{ mean_money('margin_after', 'months_after') }}, 0)
        - coalesce({{ mean_money('margin_before', 'months_before') }}, 0)
            as margin_change
    from margins_summed

),

place_totals as (

    select
        contact_number,
        tier_code,
        region_code,
        count(*) as customers,
        {{ sum_money('margin_change') }} as margin_change
    from changes
    group by contact_number, tier_code, region_code

),

-- Customers whom the campaign contacted in another month are neither side's.
campaign_totals as (

    select
        treated.campaign_id,
        changes.contact_number,
        changes.tier_code,
        changes.region_code,
        count(*) as customers,
        {{ sum_money('changes.margin_change') }} as margin_change,
        {{ sum_money(
            'case when treated.contact_number = changes.contact_number'
            ~ ' then changes.margin_change else 0 end'
        ) }} as treated_change
    from changes
    inner join treated on changes.customer_id = treated.customer_id
    group by
        treated.campaign_id,
        changes.contact_number,
        changes.tier_code,
        changes.region_code

),

compared as (

    select
        cells.campaign_id,
        cells.contact_number,
        cells.tier_code,
        cells.region_code,
        cells.treated_customers,
        place_totals.customers - campaign_totals.customers as control_customers,
        campaign_totals.treated_change,
        place_totals.margin_change - campaign_totals.margin_change as control_change
    from cells
    cross join parameters
    left join place_totals
        on
            cells.contact_number = place_totals.contact_number
            and cells.tier_code = place_totals.tier_code
            and cells.region_code = place_totals.region_code
            and cells.treated_customers >= parameters.uplift_minimum
    left join campaign_totals
        on
            cells.campaign_id = campaign_totals.campaign_id
            and cells.contact_number = campaign_totals.contact_number
            and cells.tier_code = campaign_totals.tier_code
            and cells.region_code = campaign_totals.region_code

),

-- What the treated gained beyond what as many untreated customers gained, for every
-- month after the contact; rounded once, at the end.
final as (

    select
        compared.campaign_id,
        compared.contact_number,
        compared.tier_code,
        compared.region_code,
        compared.treated_customers,
        compared.control_customers,
        coalesce(compared.control_customers >= parameters.uplift_minimum, false)
            as is_counted,
        case
            when compared.control_customers >= parameters.uplift_minimum
                then {{ divide_money(
                    'parameters.uplift_months * ('
                    ~ 'compared.treated_change * compared.control_customers'
                    ~ ' - compared.control_change * compared.treated_customers)',
                    'compared.control_customers',
                ) }}
        end as uplift_margin
    from compared
    cross join parameters

)

select * from final
