{#- Rules of tiers that more than one model needs. -#}

{#- Whether a value reaches a band's bound; unknown values reach nothing. -#}
{% macro reaches_bound(value, comparator, bound) -%}
case
    when {{ comparator }} = 'gt' then {{ value }} > {{ bound }}
    else {{ value }} >= {{ bound }}
end
{%- endmacro %}

{#- A region class or legal form to join on: customers of a region without a class match. -#}
{% macro class_key(column) -%} coalesce({{ column }}, '') {%- endmacro %}

{#- Whether a method ranks customers against each other. -#}
{% macro ranks_customers(method) -%}
{{ method }} in ('top_n', 'top_share_of_customers', 'cumulative_share_of_metric')
{%- endmacro %}

{#-
    Whether a customer reaches a cut (see int_tier_cuts_found): `ge` and `gt` compare the
    metric alone, `through` lets in all up to the last customer of an order by metric
    descending, then customer_id. Never null: unknown values reach nothing.
-#}
{% macro reaches_cut(metric_value, customer_id, comparator, value, last_customer_id) -%}
coalesce(
    {{ metric_value }} > {{ value }}
    or (
        {{ metric_value }} = {{ value }}
        and (
            {{ comparator }} = 'ge'
            or ({{ comparator }} = 'through' and {{ customer_id }} <= {{ last_customer_id }})
        )
    ),
    false
)
{%- endmacro %}

{#- For how many months a policy may lend a tier at most. -#}
{% macro longest_grace() -%}
(select coalesce(max(grace_months), 0) + 1 from {{ seeded('tier_policies') }})
{%- endmacro %}
