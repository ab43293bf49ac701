with quarantined_rows as (

    select * from {{ ref('stg_control__quarantined_rows') }}

),

released_rows as (

    select * from {{ ref('stg_control__released_rows') }}

),

-- A row is loaded at most once; released again, it is a repetition of that or at fault.
settlements as (

    select
        origin_load_id,
        origin_row_number,
        load_id,
        row_number,
        row_number() over (
            partition by origin_load_id, origin_row_number
            order by case outcome when 'loaded' then 0 else 1 end, load_id
        ) as place
    from released_rows
    where outcome in ('loaded', 'duplicate')

),

corrections as (

    select * from settlements
    where place = 1

),

final as (

    select
        quarantined_rows.load_id,
        quarantined_rows.row_number,
        quarantined_rows.feed,
        quarantined_rows.reasons,
        quarantined_rows.row_json,
        attempts.origin_load_id,
        attempts.origin_row_number,
        corrections.load_id as released_load_id,
        corrections.row_number as released_row_number
    from quarantined_rows
    left join released_rows as attempts
        on
            quarantined_rows.load_id = attempts.load_id
            and quarantined_rows.row_number = attempts.row_number
    left join corrections
        on
            quarantined_rows.load_id = corrections.origin_load_id
            and quarantined_rows.row_number = corrections.origin_row_number

)

select * from final
