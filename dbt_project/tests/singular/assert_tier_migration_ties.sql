{#-
    Rows of the migration matrix sum to last month's tiers, columns to this month's, and its
    revenue is all revenue of the month. `none` also holds who has no row on that side.
-#}
with migration as (

    select * from {{ ref('tier_migration_monthly') }}

),

tiers as (

    select * from {{ ref('customer_tier_monthly') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}

),

compared as (

    select
        'tier_to' as margin,
        month,
        tier_to as tier_code,
        customers as migrated,
        0 as counted
    from migration
    where tier_to <> 'none'
    union all
    select
        'tier_to' as margin,
        month,
        tier_code,
        0 as migrated,
        1 as counted
    from tiers
    where tier_code <> 'none'
    union all
    select
        'tier_from' as margin,
        month,
        tier_from as tier_code,
        customers as migrated,
        0 as counted
    from migration
    where tier_from <> 'none'
    union all
    select
        'tier_from' as margin,
        months.month,
        tiers.tier_code,
        0 as migrated,
        1 as counted
    from tiers
    inner join months on {{ add_months('tiers.month', 1) }} = months.month
    where tiers.tier_code <> 'none'
    union all
    select
        'revenue' as margin,
        month,
        cast(null as varchar) as tier_code,
        revenue as migrated,
        0 as counted
    from migration
    union all
    select
        'revenue' as margin,
        month,
        cast(null as varchar) as tier_code,
        0 as migrated,
        revenue as counted
    from revenue

),

differences as (

    select
        margin,
        month,
        tier_code,
        sum(migrated) as migrated,
        sum(counted) as counted
    from compared
    group by margin, month, tier_code

)

select * from differences
where migrated <> counted
