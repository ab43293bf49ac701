{{ config(materialized='by_month') }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where
        is_ranked
        and {{ is_needed('month_number') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}
    where {{ is_needed('month_number') }}

),

account_activity as (

    select * from {{ ref('int_account_activity_counted') }}
    where {{ is_needed('month_number') }}

),

customer_products as (

    select * from {{ ref('int_customer_products_costed') }}
    where {{ is_needed('month_number') }}

),

-- What nobody knows cannot be offered: the built-in products are no headroom.
products as (

    select * from {{ ref('products') }}

),

parameters as (

    {{ named_parameters(['peer_minimum', 'peer_revenue_groups', 'headroom_months']) }}

),

families as (

    select count(distinct product_family) as family_count
    from products

),

ranked as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.legal_form,
        case
            when spine.legal_form = 'organisation' then coalesce(spine.industry, '')
            else ''
        end as peer_industry,
        rank() over (
            partition by spine.month_number
            order by coalesce(revenue.avg_revenue_3m, 0)
        ) as revenue_rank,
        count(*) over (partition by spine.month_number) as ranked_customers
    from spine
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number

),

-- Customers of equal revenue are in one group, so that chance never parts them.
grouped as (

    select
        ranked.customer_id,
        ranked.month,
        ranked.month_number,
        ranked.legal_form,
        ranked.peer_industry,
        cast(
            floor(
                (ranked.revenue_rank - 1)
                * parameters.peer_revenue_groups
                / ranked.ranked_customers
            ) as integer
        ) as revenue_group
    from ranked
    cross join parameters

),

peers_counted as (

    select
        month_number,
        legal_form,
        peer_industry,
        revenue_group,
        count(*) as peers
    from grouped
    group by month_number, legal_form, peer_industry, revenue_group

),

families_known as (

    select
        account_activity.customer_id,
        account_activity.month_number,
        products.product_family,
        1 as is_held,
        cast(0 as decimal(18, 4)) as family_margin
    from account_activity
    inner join products on account_activity.product_code = products.product_code
    union all
    select
        customer_id,
        month_number,
        product_family,
        0 as is_held,
        cast(revenue - cost_to_serve as decimal(18, 4)) as family_margin
    from customer_products

),

families_held as (

    select
        customer_id,
        month_number,
        product_family,
        {{ sum_money('family_margin') }} as family_margin
    from families_known
    group by customer_id, month_number, product_family
    having max(is_held) = 1

),

holders as (

    select
        grouped.customer_id,
        grouped.month_number,
        grouped.legal_form,
        grouped.peer_industry,
        grouped.revenue_group,
        families_held.product_family,
        families_held.family_margin
    from grouped
    inner join families_held
        on
            grouped.customer_id = families_held.customer_id
            and grouped.month_number = families_held.month_number

),

families_measured as (

    select
        month_number,
        legal_form,
        peer_industry,
        revenue_group,
        product_family,
        count(*) as holders,
        {{ median_money('family_margin') }} as median_margin
    from holders
    group by month_number, legal_form, peer_industry, revenue_group, product_family

),

-- What one family is worth to a customer without it; too few holders tell nothing.
families_valued as (

    select
        families_measured.month_number,
        families_measured.legal_form,
        families_measured.peer_industry,
        families_measured.revenue_group,
        families_measured.product_family,
        {{ mean_money(
            'families_measured.median_margin * families_measured.holders'
            ~ ' * parameters.headroom_months',
            'peers_counted.peers'
        ) }} as headroom
    from families_measured
    cross join parameters
    inner join peers_counted
        on
            families_measured.month_number = peers_counted.month_number
            and families_measured.legal_form = peers_counted.legal_form
            and families_measured.peer_industry = peers_counted.peer_industry
            and families_measured.revenue_group = peers_counted.revenue_group
    where families_measured.holders >= parameters.peer_minimum

),

group_totals as (

    select
        month_number,
        legal_form,
        peer_industry,
        revenue_group,
        count(*) as families_valued,
        {{ sum_money('headroom') }} as headroom
    from families_valued
    group by month_number, legal_form, peer_industry, revenue_group

),

held_totals as (

    select
        holders.customer_id,
        holders.month_number,
        count(*) as families_held,
        count(families_valued.product_family) as families_valued,
        {{ sum_money('coalesce(families_valued.headroom, 0)') }} as headroom
    from holders
    left join families_valued
        on
            holders.month_number = families_valued.month_number
            and holders.legal_form = families_valued.legal_form
            and holders.peer_industry = families_valued.peer_industry
            and holders.revenue_group = families_valued.revenue_group
            and holders.product_family = families_valued.product_family
    group by holders.customer_id, holders.month_number

),

-- The families lacked are those of the group less those held: no customer meets every
-- family.
lacked as (

    select
        grouped.customer_id,
        grouped.month,
        grouped.month_number,
        families.family_count - coalesce(held_totals.families_held, 0)
            as families_lacked,
        coalesce(group_totals.families_valued, 0)
        - coalesce(held_totals.families_valued, 0) as families_valued,
        coalesce(group_totals.headroom, 0) - coalesce(held_totals.headroom, 0)
            as headroom_value
    from grouped
    cross join families
    left join group_totals
        on
            grouped.month_number = group_totals.month_number
            and grouped.legal_form = group_totals.legal_form
            and grouped.peer_industry = group_totals.peer_industry
            and grouped.revenue_group = group_totals.revenue_group
    left join held_totals
        on
            grouped.customer_id = held_totals.customer_id
            and grouped.month_number = held_totals.month_number

),

final as (

    select
        customer_id,
        month,
        month_number,
        case
            when families_lacked = 0 or families_valued > 0
                then cast(headroom_value as decimal(18, 4))
        end as headroom_value
    from lacked

)

select * from final
