with loads as (

    select * from {{ ref('stg_control__loads') }}

)

select
    load_id,
    run_id,
    feed,
    file_name,
    file_sha256,
    status,
    reason,
    months,
    origin_load_id,
    file_bytes,
    rows_in_file,
    rows_loaded,
    rows_quarantined,
    rows_duplicate,
    delivered_at,
    loaded_at
from loads
