{#-
    Churn risk, rulebook 8. The features, once for all models: each with the words that
    say what raises the risk when it lies below or above the average of the customers.
    churn_prior.csv and the fitted coefficients speak of them by these names.
-#}
{% macro churn_features() -%}
{{ return([
    ('tenure_months', 'customer for a short time', 'customer for a long time'),
    ('product_count', 'few products', 'many products'),
    ('family_count', 'few product families', 'many product families'),
    ('in_contract', 'no running contract', 'running contract'),
    ('contract_months_left', 'contract ends soon or none runs', 'contract runs long'),
    ('revenue_trend', 'revenue falling', 'revenue rising'),
    ('revenue_drop_share', 'revenue steady', 'revenue dropped'),
    ('usage_trend', 'use falling', 'use rising'),
    ('complaints_3m', 'no recent complaints', 'recent complaints'),
    ('complaints_12m', 'few complaints in a year', 'complaints within a year'),
    ('open_complaints', 'no open complaint', 'open complaint'),
    ('breaches_12m', 'complaints handled in time', 'complaints handled late'),
    ('mean_satisfaction', 'dissatisfied', 'satisfied'),
    ('is_overdue', 'nothing overdue', 'bills overdue'),
    ('overdue_months', 'little overdue', 'much overdue for its revenue'),
    ('days_past_due', 'pays in time', 'bills long overdue'),
    ('plan_changes_12m', 'plan never changed', 'plan changed within a year'),
    ('manager_changes_6m', 'same manager as before', 'manager changed'),
    ('contacts_3m', 'no recent contact', 'many recent contacts'),
    ('outage_hours', 'few outages', 'outages'),
    ('drop_rate', 'few dropped calls', 'dropped calls'),
    ('competitor_known', 'no known rival', 'rival known'),
    ('is_prepaid', 'postpaid', 'prepaid'),
    ('charge_level', 'pays less than others', 'pays more than others'),
]) }}
{%- endmacro %}
