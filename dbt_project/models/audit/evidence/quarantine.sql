with quarantined_rows as (

    select * from {{ ref('stg_control__quarantined_rows') }}

)

select
    load_id,
    row_number,
    feed,
    reasons,
    row_json
from quarantined_rows
