{% test components_sum_to_revenue(model) %}
{#- Rows whose revenue is not the sum of its six components, rulebook 3. -#}
select
    revenue,
    recurring_revenue,
    usage_revenue,
    one_off_revenue,
    discount,
    adjustment,
    unitemised_revenue
from {{ model }}
where
    revenue is null
    or revenue <> recurring_revenue + usage_revenue + one_off_revenue
    + discount + adjustment + unitemised_revenue
{% endtest %}
