{%- set models = {
    'accounts': 'stg_customer__accounts',
    'campaigns': 'stg_customer__campaigns',
    'charges': 'stg_billing__charges',
    'complaints': 'stg_complaint__complaints',
    'contacts': 'stg_customer__contacts',
    'contracts': 'stg_customer__contracts',
    'customers': 'stg_customer__customers',
    'invoices': 'stg_billing__invoices',
    'managers': 'stg_customer__managers',
    'payments': 'stg_billing__payments',
    'proposals': 'stg_customer__proposals',
    'service_costs': 'stg_billing__service_costs',
    'service_quality': 'stg_billing__service_quality_months',
    'subscriptions': 'stg_customer__subscriptions',
    'usage': 'stg_billing__usage_months',
} -%}

with active_loads as (

    select * from {{ ref('stg_control__active_loads') }}

),

loads as (

    select
        load_id,
        rows_loaded
    from {{ ref('stg_control__loads') }}
    where status = 'loaded'

),

rows_staged as (

    {% for feed, model in models.items() -%}
    select
        '{{ feed }}' as feed,
        load_id,
        count(*) as row_count
    from {{ ref(model) }}
    group by load_id
    {%- if not loop.last %}
    union all
    {% endif -%}
    {% endfor %}

),

final as (

    select
        active_loads.feed,
        cast(sum(coalesce(loads.rows_loaded, 0)) as bigint) as rows_loaded,
        cast(sum(coalesce(rows_staged.row_count, 0)) as bigint) as rows_staged
    from active_loads
    left join loads on active_loads.load_id = loads.load_id
    left join rows_staged
        on
            active_loads.feed = rows_staged.feed
            and active_loads.load_id = rows_staged.load_id
    group by active_loads.feed

)

select * from final
