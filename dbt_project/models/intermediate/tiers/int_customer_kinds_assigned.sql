{{ config(materialized='view') }}
with judged as (

    select * from {{ ref('int_customer_kinds_judged') }}

),

strategic_customers as (

    select * from {{ ref('int_strategic_customers_found') }}

),

parameters as (

    select
        max(case when name = 'premier_minimum_kinds' then value end)
            as premier_minimum_kinds
    from {{ ref('parameters') }}

),

kinds as (

    select
        judged.customer_id,
        judged.month,
        judged.month_number,
        judged.legal_form,
        judged.is_important,
        judged.is_high_value,
        judged.is_group,
        judged.is_flagged_strategic or strategic_customers.customer_id is not null
            as is_strategic,
        parameters.premier_minimum_kinds
    from judged
    cross join parameters
    left join strategic_customers
        on
            judged.customer_id = strategic_customers.customer_id
            and judged.month_number = strategic_customers.month_number

),

counted as (

    select
        customer_id,
        month,
        month_number,
        legal_form,
        is_important,
        is_high_value,
        is_group,
        is_strategic,
        premier_minimum_kinds,
        cast(is_important as integer)
        + cast(is_high_value as integer)
        + cast(is_group as integer)
        + cast(is_strategic as integer) as kind_count,
        nullif(
            concat_ws(
                ',',
                case when is_important then 'important' end,
                case when is_high_value then 'high_value' end,
                case when is_group then 'group' end,
                case when is_strategic then 'strategic' end
            ),
            ''
        ) as key_kinds
    from kinds

),

final as (

    select
        customer_id,
        month,
        month_number,
        key_kinds,
        case
            when kind_count > 0 then 'key'
            when legal_form = 'organisation' then 'commercial'
            else 'public'
        end as segment,
        is_important,
        is_high_value,
        is_group,
        is_strategic,
        kind_count >= premier_minimum_kinds as is_premier
    from counted

)

select * from final
