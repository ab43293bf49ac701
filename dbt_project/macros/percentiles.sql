{#-
    The weight of a row in a percentile with linear interpolation: the sum of value x
    weight over all rows is the percentile. `place` numbers the rows from 1 in ascending
    order; the percentile lies at 1 + share x (row_count - 1), between two places.
    Decimals, so that the result is exact and the same on every engine.
-#}
{% macro percentile_weight(place, row_count, share) -%}
cast(
    greatest(
        0,
        1 - abs(
            cast({{ place }} - 1 as decimal(18, 0))
            - cast({{ row_count }} - 1 as decimal(18, 0))
            * cast({{ share }} as decimal(10, 6))
        )
    ) as decimal(10, 6)
)
{%- endmacro %}

{#- A DECIMAL(18,4) percentile from values and their weights, rounded to 4 decimals. -#}
{% macro weighted_percentile(value, weight) -%}
cast(
    round(sum(cast({{ value }} as decimal(28, 4)) * {{ weight }}), 4) as decimal(18, 4)
)
{%- endmacro %}
