{#-
    Each stretch ends where the next begins, with another tier; the first begins with the
    customer's first active month of the run, the last is open; and its months add up.
-#}
with history as (

    select * from {{ ref('customer_tier_history') }}

),

spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

run_months as (

    select
        min(month) as first_month,
        max(month) as closing_month,
        max(month_number) as closing_month_number
    from {{ ref('int_months_numbered') }}

),

expected as (

    select
        spine.customer_id,
        greatest(min(spine.first_active_month), min(run_months.first_month))
            as begins_on,
        min(run_months.closing_month_number) as closing_month_number
    from spine
    cross join run_months
    where spine.first_active_month <= run_months.closing_month
    group by spine.customer_id

),

stretches as (

    select
        customer_id,
        valid_from,
        valid_to,
        tier_code,
        months,
        lead(valid_from) over (
            partition by customer_id order by valid_from
        ) as next_from,
        lead(tier_code) over (
            partition by customer_id order by valid_from
        ) as next_tier
    from history

),

totals as (

    select
        customer_id,
        min(valid_from) as begins_on,
        sum(months) as months
    from history
    group by customer_id

),

broken_stretches as (

    select
        customer_id,
        'stretch' as fault
    from stretches
    where
        tier_code = next_tier
        or months < 1
        or coalesce(valid_to, date '9999-01-01')
        <> coalesce(next_from, date '9999-01-01')

),

broken_totals as (

    select
        expected.customer_id,
        'total' as fault
    from expected
    left join totals on expected.customer_id = totals.customer_id
    where
        totals.customer_id is null
        or totals.begins_on <> expected.begins_on
        or totals.months
        <> expected.closing_month_number - {{ month_number('expected.begins_on') }} + 1

),

faults as (

    select * from broken_stretches
    union all
    select * from broken_totals

)

select * from faults
