{#- Every numeric column of the feed contract: a sender may declare the sum of any. -#}
{%- set feeds = {
    'accounts': ('stg_customer__accounts', ['credit_limit']),
    'campaigns': ('stg_customer__campaigns', ['fixed_cost']),
    'charges': ('stg_billing__charges', ['amount', 'quantity']),
    'complaints': (
        'stg_complaint__complaints',
        ['owner_changes', 'reopened_count', 'satisfaction', 'compensation'],
    ),
    'contacts': ('stg_customer__contacts', ['score', 'cost']),
    'contracts': (
        'stg_customer__contracts',
        ['monthly_commitment', 'discount_rate', 'discount_limit'],
    ),
    'customers': ('stg_customer__customers', ['birth_year']),
    'invoices': ('stg_billing__invoices', ['total_amount', 'tax_amount']),
    'managers': ('stg_customer__managers', []),
    'payments': ('stg_billing__payments', ['amount']),
    'proposals': (
        'stg_customer__proposals',
        [
            'monthly_price', 'monthly_cost', 'one_off_price', 'one_off_cost',
            'term_months', 'discount_rate', 'discount_limit',
        ],
    ),
    'service_costs': (
        'stg_billing__service_costs', ['cost_per_subscription', 'cost_share_of_revenue']
    ),
    'service_quality': (
        'stg_billing__service_quality_months',
        ['access_rate', 'drop_rate', 'outage_minutes'],
    ),
    'subscriptions': ('stg_customer__subscriptions', []),
    'usage': (
        'stg_billing__usage_months',
        ['voice_minutes', 'data_mb', 'sms_count', 'active_days'],
    ),
} -%}

with active_loads as (

    select load_id from {{ ref('stg_control__active_loads') }}

),

declared as (

    select * from {{ ref('stg_control__declared_totals') }}
    where load_id in (select active_loads.load_id from active_loads)

),

{% for feed, (model, columns) in feeds.items() -%}
{{ feed }}_summed as (

    select
        {% for column in columns -%}
        cast(sum({{ column }}) as decimal(38, 9)) as {{ column }},
        {% endfor -%}
        load_id,
        count(*) as row_count
    from {{ ref(model) }}
    where load_id in (select declared.load_id from declared)
    group by load_id

),

{% endfor -%}
staged as (

    {% for feed, (_, columns) in feeds.items() -%}
    select
        declared.feed,
        declared.measure,
        declared.declared_total,
        declared.quarantined_total,
        declared.duplicate_total,
        case declared.measure
            when 'rows'
                then coalesce(
                    cast({{ feed }}_summed.row_count as decimal(38, 9)), 0
                )
            {% for column in columns -%}
            when '{{ column }}' then coalesce({{ feed }}_summed.{{ column }}, 0)
            {% endfor -%}
        end as staged_total
    from declared
    left join {{ feed }}_summed on declared.load_id = {{ feed }}_summed.load_id
    where declared.feed = '{{ feed }}'
    {%- if not loop.last %}
    union all
    {% endif -%}
    {% endfor %}

),

final as (

    select
        feed,
        measure,
        cast(sum(declared_total) as decimal(18, 4)) as declared_total,
        cast(coalesce(sum(staged_total), 0) as decimal(18, 4)) as staged_total,
        cast(sum(quarantined_total) as decimal(18, 4)) as quarantined_total,
        cast(sum(duplicate_total) as decimal(18, 4)) as duplicate_total
    from staged
    group by feed, measure

)

select * from final
