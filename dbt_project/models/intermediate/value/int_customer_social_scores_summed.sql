{{ config(materialized='by_month') }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

social_points as (

    select * from {{ ref('social_points') }}

),

parameters as (

    {{ named_parameters(['social_score_maximum']) }}

),

groups_measured as (

    select
        group_id,
        month_number,
        count(*) as group_size,
        count(
            distinct case when region_code <> 'UNKNOWN' then region_code end
        ) as regional_span
    from spine
    where is_ranked
    group by group_id, month_number

),

-- Of the bands of a size the highest one reached counts.
size_bands as (

    select
        attribute,
        lower_bound,
        lead(lower_bound) over (
            partition by attribute order by lower_bound
        ) as upper_bound,
        points
    from social_points
    where lower_bound is not null

),

groups_scored as (

    select
        groups_measured.group_id,
        groups_measured.month_number,
        sum(size_bands.points) as points
    from groups_measured
    inner join size_bands
        on
            case size_bands.attribute
                when 'group_size' then groups_measured.group_size
                when 'regional_span' then groups_measured.regional_span
            end >= size_bands.lower_bound
            and (
                size_bands.upper_bound is null
                or case size_bands.attribute
                    when 'group_size' then groups_measured.group_size
                    when 'regional_span' then groups_measured.regional_span
                end < size_bands.upper_bound
            )
    group by groups_measured.group_id, groups_measured.month_number

),

final as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        cast(
            least(
                coalesce(designations.points, 0)
                + coalesce(strategic.points, 0)
                + coalesce(groups_scored.points, 0),
                parameters.social_score_maximum
            ) as decimal(18, 4)
        ) as social_score
    from spine
    cross join parameters
    left join social_points as designations
        on
            designations.attribute = 'designation'
            and spine.designation = designations.code
    left join social_points as strategic
        on
            strategic.attribute = 'strategic'
            and strategic.code = 'true'
            and spine.strategic_flag
    left join groups_scored
        on
            spine.group_id = groups_scored.group_id
            and spine.month_number = groups_scored.month_number

)

select * from final
