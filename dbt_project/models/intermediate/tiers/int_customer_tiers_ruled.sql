with metrics as (

    select * from {{ ref('int_customer_metrics_measured') }}

),

bands as (

    select * from {{ ref('int_tier_bands_resolved') }}

),

-- The population of the ranking methods.
positions as (

    select
        policy_id,
        customer_id,
        month,
        rank() over (
            partition by policy_id, month
            order by metric_value desc
        ) as metric_rank,
        count(*) over (partition by policy_id, month) as population,
        cast(
            sum(metric_value) over (partition by policy_id, month) as decimal(18, 4)
        ) as metric_total,
        cast(
            sum(metric_value) over (
                partition by policy_id, month
                order by metric_value desc, customer_id asc
                rows between unbounded preceding and current row
            ) - metric_value as decimal(18, 4)
        ) as metric_before
    from metrics
    where
        method in ('top_n', 'top_share_of_customers', 'cumulative_share_of_metric')
        and metric_value > 0

),

bands_tried as (

    select
        metrics.policy_id,
        metrics.customer_id,
        metrics.month,
        bands.band_number,
        bands.is_fallback,
        case metrics.method
            when 'top_n' then positions.metric_rank <= bands.bound
            when 'top_share_of_customers'
                then positions.metric_rank <= ceil(bands.bound * positions.population)
            when 'cumulative_share_of_metric'
                then positions.metric_before < bands.bound * positions.metric_total
            else {{ reaches_bound(
                'metrics.metric_value', 'bands.comparator', 'bands.bound'
            ) }}
        end as is_met
    from metrics
    inner join bands
        on
            metrics.policy_id = bands.policy_id
            and metrics.policy_version = bands.policy_version
            and {{ class_key('metrics.region_class') }}
            = {{ class_key('bands.region_class') }}
            and metrics.legal_form = bands.legal_form
    left join positions
        on
            metrics.policy_id = positions.policy_id
            and metrics.customer_id = positions.customer_id
            and metrics.month = positions.month

),

bands_reached as (

    select
        policy_id,
        customer_id,
        month,
        min(case when is_met then band_number end) as met_band_number,
        min(case when is_fallback then band_number end) as fallback_band_number
    from bands_tried
    group by policy_id, customer_id, month

),

placed as (

    select
        metrics.policy_id,
        metrics.policy_version,
        metrics.customer_id,
        metrics.month,
        metrics.month_number,
        metrics.region_class,
        metrics.legal_form,
        metrics.metric,
        metrics.method,
        metrics.metric_currency,
        metrics.metric_value,
        bands.tier_code as rule_tier,
        bands.tier_rank as rule_tier_rank,
        bands.service_class,
        bands.is_high_value,
        bands.next_tier_code,
        bands.next_bound,
        case when bands_reached.met_band_number is not null then bands.bound end
            as bound_met
    from metrics
    inner join bands_reached
        on
            metrics.policy_id = bands_reached.policy_id
            and metrics.customer_id = bands_reached.customer_id
            and metrics.month = bands_reached.month
    inner join bands
        on
            metrics.policy_id = bands.policy_id
            and metrics.policy_version = bands.policy_version
            and {{ class_key('metrics.region_class') }}
            = {{ class_key('bands.region_class') }}
            and metrics.legal_form = bands.legal_form
            and coalesce(
                bands_reached.met_band_number, bands_reached.fallback_band_number
            ) = bands.band_number

),

tier_entries as (

    select
        policy_id,
        month,
        rule_tier,
        min(metric_value) as lowest_value
    from placed
    group by policy_id, month, rule_tier

),

final as (

    select
        placed.policy_id,
        placed.policy_version,
        placed.customer_id,
        placed.month,
        placed.month_number,
        placed.region_class,
        placed.legal_form,
        placed.metric,
        placed.method,
        placed.metric_currency,
        placed.metric_value,
        placed.rule_tier,
        placed.rule_tier_rank,
        placed.service_class,
        placed.is_high_value,
        placed.bound_met,
        placed.next_bound,
        case
            -- greatest() skips nulls: unmeasured is no gap, not a gap of 0.
            when placed.next_tier_code is null then null
            when placed.metric_value is null then null
            when placed.method in ('threshold', 'score')
                then cast(
                    greatest(placed.next_bound - placed.metric_value, 0)
                    as decimal(18, 4)
                )
            when tier_entries.lowest_value is not null
                then cast(
                    greatest(tier_entries.lowest_value - placed.metric_value, 0)
                    as decimal(18, 4)
                )
        end as gap_to_next
    from placed
    left join tier_entries
        on
            placed.policy_id = tier_entries.policy_id
            and placed.month = tier_entries.month
            and placed.next_tier_code = tier_entries.rule_tier

)

select * from final
