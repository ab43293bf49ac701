{#- Revenue windows and movement, rulebook 3: written once, used by every model. -#}

{#-
    avg_revenue_k: the revenue of the window's months over the number of those months that
    exist for the customer, counted from its start (see months_existing of
    int_customer_revenue_averaged). Null where none exists: a mean over no month.
-#}
{% macro average_revenue(window_revenue, months_existing, window_months) -%}
case
    when {{ months_existing }} > 0
        then {{ divide_money(
            window_revenue,
            'least(' ~ months_existing ~ ', ' ~ window_months ~ ')'
        ) }}
end
{%- endmacro %}

{#- A ratio of two exact sums as a double; null where nothing is there to share. -#}
{% macro share_of(part, whole) -%}
cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0)
{%- endmacro %}
