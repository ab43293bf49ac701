{#-
    Churn risk, rulebook 8. The features, once for all models: each with the words that
    say what raises the risk when it lies below or above the average of the customers. A
    side without words is none that a manager could act on (nothing overdue, no complaint,
    a running contract): it counts in the score, whatever was fitted, and is never a reason.
    churn_prior.csv and the fitted coefficients speak of them by these names.
-#}
{% macro churn_features() -%}
{{ return([
    ('tenure_months', 'customer for a short time', 'customer for a long time'),
    ('product_count', 'few products', 'many products'),
    ('family_count', 'few product families', 'many product families'),
    ('in_contract', 'no running contract', none),
    ('contract_months_left', 'contract ends soon or none runs', none),
    ('revenue_trend', 'revenue falling', 'revenue rising'),
    ('revenue_drop_share', none, 'revenue dropped'),
    ('usage_trend', 'use falling', 'use rising'),
    ('complaints_3m', none, 'recent complaints'),
    ('complaints_12m', none, 'complaints within a year'),
    ('open_complaints', none, 'open complaint'),
    ('breaches_12m', none, 'complaints handled late'),
    ('mean_satisfaction', 'dissatisfied', none),
    ('is_overdue', none, 'bills overdue'),
    ('overdue_months', none, 'much overdue for its revenue'),
    ('days_past_due', none, 'bills long overdue'),
    ('plan_changes_12m', none, 'plan changed within a year'),
    ('manager_changes_6m', none, 'manager changed'),
    ('contacts_3m', 'no recent contact', 'many recent contacts'),
    ('outage_hours', none, 'outages'),
    ('drop_rate', none, 'dropped calls'),
    ('competitor_known', none, 'rival known'),
    ('is_prepaid', none, 'prepaid'),
    ('charge_level', 'pays less than others', 'pays more than others'),
]) }}
{%- endmacro %}

{#-
    What a feature adds to the score: its distance from the average, in the units and
    within the bounds of the fit. What is not measured stands at the average.
-#}
{% macro contribution(measured, feature, fit) -%}
{{ fit }}.{{ feature }}_weight * (
    least(
        greatest(
            coalesce({{ measured }}.{{ feature }}, {{ fit }}.{{ feature }}_centre),
            {{ fit }}.{{ feature }}_lower
        ),
        {{ fit }}.{{ feature }}_upper
    ) - {{ fit }}.{{ feature }}_centre
)
{%- endmacro %}

{#- The probability that a score tells, from the terms that add up to it. -#}
{% macro probability_of(terms) -%} 1 / (1 + exp(-({{ terms | join(' + ') }}))) {%- endmacro %}
