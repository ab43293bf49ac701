with tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}

),

spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

run_months as (

    select
        min(month_number) as first_month_number,
        max(month_number) as closing_month_number
    from {{ ref('int_months_numbered') }}

),

-- From the first active month on; a row before it (say, an early payment) has no tier.
tier_months as (

    select
        tiers.customer_id,
        tiers.month,
        tiers.month_number,
        tiers.tier_code,
        tiers.tier_rank,
        run_months.closing_month_number,
        greatest(spine.first_active_month_number, run_months.first_month_number)
            as begins_number,
        coalesce(
            lead(tiers.month_number) over (
                partition by tiers.customer_id
                order by tiers.month_number
            ),
            run_months.closing_month_number + 1
        ) as next_month_number
    from tiers
    inner join spine
        on
            tiers.customer_id = spine.customer_id
            and tiers.month_number = spine.month_number
    cross join run_months
    where tiers.month_number >= spine.first_active_month_number

),

-- Months without a row count as `none`: after leaving, and before the first row of a
-- customer who had left long before the first month of the run.
completed as (

    select
        customer_id,
        month,
        month_number,
        tier_code,
        tier_rank
    from tier_months
    union all
    select
        customer_id,
        {{ add_months('month', 1) }} as month,
        month_number + 1 as month_number,
        'none' as tier_code,
        cast(null as bigint) as tier_rank
    from tier_months
    where next_month_number > month_number + 1
    union all
    select
        customer_id,
        {{ month_of_number('min(begins_number)') }} as month,
        min(begins_number) as month_number,
        'none' as tier_code,
        cast(null as bigint) as tier_rank
    from tier_months
    group by customer_id
    having min(month_number) > min(begins_number)

),

compared as (

    select
        customer_id,
        month,
        month_number,
        tier_code,
        tier_rank,
        lag(tier_code) over (
            partition by customer_id order by month_number
        ) as tier_before,
        lead(tier_code) over (
            partition by customer_id order by month_number
        ) as tier_after
    from completed

),

stretches as (

    select
        customer_id,
        month,
        month_number,
        tier_code,
        tier_rank,
        tier_after,
        sum(case when tier_code = tier_before then 0 else 1 end) over (
            partition by customer_id
            order by month_number
            rows between unbounded preceding and current row
        ) as stretch
    from compared

),

-- A tier's rank may differ between versions of a policy: the stretch shows its last.
stretches_summed as (

    select
        customer_id,
        stretch,
        tier_code,
        min(month) as valid_from,
        min(month_number) as from_month_number,
        max(
            case
                when tier_after is null or tier_after <> tier_code then tier_rank
            end
        ) as tier_rank
    from stretches
    group by customer_id, stretch, tier_code

),

bounded as (

    select
        stretches_summed.customer_id,
        stretches_summed.tier_code,
        stretches_summed.tier_rank,
        stretches_summed.valid_from,
        lead(stretches_summed.valid_from) over (
            partition by stretches_summed.customer_id
            order by stretches_summed.valid_from
        ) as valid_to,
        coalesce(
            lead(stretches_summed.from_month_number) over (
                partition by stretches_summed.customer_id
                order by stretches_summed.valid_from
            ),
            run_months.closing_month_number + 1
        ) - stretches_summed.from_month_number as months
    from stretches_summed
    cross join run_months

),

final as (

    select
        customer_id,
        valid_from,
        valid_to,
        tier_code,
        tier_rank,
        months
    from bounded

)

select * from final
