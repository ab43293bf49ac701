with spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

-- Worth what it will bring while it stays: without a probability to leave (rulebook 8)
-- the potential of a ranked customer is not measured.
final as (

    select
        customer_id,
        month,
        month_number,
        case when not is_ranked then cast(0 as decimal(18, 4)) end as potential_value
    from spine

)

select * from final
