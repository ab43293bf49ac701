with settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

kinds as (

    select * from {{ ref('int_customer_kinds_assigned') }}

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}

),

stars as (

    select * from {{ ref('int_customer_stars_held') }}

),

-- Every customer delivered has a row at the closing month, published or not.
closing_rows as (

    select spine.*
    from spine
    inner join settings on spine.month = settings.closing_month

),

final as (

    select
        customers.customer_id,
        {{ mask_name('customers.customer_name') }} as customer_name_masked,
        customers.legal_form,
        customers.industry,
        closing_rows.region_code,
        customers.group_id,
        closing_rows.designation,
        closing_rows.strategic_flag,
        closing_rows.manager_id,
        customers.registered_on,
        closing_rows.first_active_month,
        closing_rows.relationship,
        kinds.segment,
        kinds.key_kinds,
        kinds.is_premier,
        coalesce(tiers.tier_code, 'none') as tier_code,
        stars.stars
    from customers
    left join closing_rows on customers.customer_id = closing_rows.customer_id
    left join kinds
        on
            customers.customer_id = kinds.customer_id
            and closing_rows.month_number = kinds.month_number
    left join tiers
        on
            customers.customer_id = tiers.customer_id
            and closing_rows.month_number = tiers.month_number
    left join stars
        on
            customers.customer_id = stars.customer_id
            and closing_rows.month_number = stars.month_number

)

select * from final
