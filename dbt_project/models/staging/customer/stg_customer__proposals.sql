with source as (

    select * from {{ source('raw_customer', 'proposals') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(proposal_id as varchar) as proposal_id,
        cast(customer_id as varchar) as customer_id,
        cast(product_code as varchar) as product_code,
        cast(status as varchar) as status,
        cast(term_months as bigint) as term_months,
        cast(monthly_price as decimal(18, 2)) as monthly_price,
        cast(monthly_cost as decimal(18, 2)) as monthly_cost,
        cast(one_off_price as decimal(18, 2)) as one_off_price,
        cast(one_off_cost as decimal(18, 2)) as one_off_cost,
        cast(discount_rate as decimal(9, 6)) as discount_rate,
        cast(discount_limit as decimal(9, 6)) as discount_limit,
        cast(proposed_on as date) as proposed_on,
        cast(decided_on as date) as decided_on,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
