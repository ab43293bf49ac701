{{ config(materialized='by_month') }}
with revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

-- Each month's revenue is the now of its own row and the before of the next month's.
sides as (

    select
        customer_id,
        month_number,
        cast(0 as decimal(18, 4)) as revenue_before,
        revenue
    from revenue
    where {{ is_needed('month_number') }}
    union all
    select
        customer_id,
        month_number + 1 as month_number,
        revenue as revenue_before,
        cast(0 as decimal(18, 4)) as revenue
    from revenue
    where {{ is_needed('month_number', 1) }}

),

compared as (

    select
        sides.customer_id,
        months.month,
        months.month_number,
        {{ sum_money('sides.revenue_before') }} as revenue_before,
        {{ sum_money('sides.revenue') }} as revenue
    from sides
    inner join months on sides.month_number = months.month_number
    group by sides.customer_id, months.month, months.month_number

),

first_earning_months as (

    select
        customer_id,
        min(month_number) as month_number
    from revenue
    where revenue > 0
    group by customer_id

),

-- Only what is above 0 counts as earned: a credit to a lost customer moves nothing.
classified as (

    select
        compared.customer_id,
        compared.month,
        compared.month_number,
        case
            when compared.revenue <= 0 and compared.revenue_before <= 0 then 'flat'
            when compared.revenue <= 0 then 'lost'
            when compared.month_number = first_earning_months.month_number then 'new'
            when compared.revenue_before <= 0 then 'returned'
            when compared.revenue > compared.revenue_before then 'expansion'
            when compared.revenue < compared.revenue_before then 'contraction'
            else 'flat'
        end as movement,
        compared.revenue_before,
        compared.revenue,
        cast(compared.revenue - compared.revenue_before as decimal(18, 4)) as change
    from compared
    left join first_earning_months
        on compared.customer_id = first_earning_months.customer_id
    where compared.revenue <> 0 or compared.revenue_before <> 0

),

final as (

    select
        customer_id,
        month,
        month_number,
        movement,
        revenue_before,
        revenue,
        change,
        case when movement in ('new', 'returned') then revenue else 0 end
            as won_revenue,
        case
            when movement = 'expansion' then revenue_before
            when movement in ('contraction', 'flat') and revenue > 0 then revenue
            else 0
        end as kept_revenue,
        case when movement = 'expansion' then change else 0 end as grown_revenue
    from classified

)

select * from final
