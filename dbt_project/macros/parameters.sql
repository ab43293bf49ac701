{#-
    One row with the named numbers of the reference table `parameters` as columns, to be
    cross joined: thresholds and windows are the operator's, never literals in a model.
-#}
{% macro named_parameters(names, type='bigint') -%}
select
    {%- for name in names %}
    cast(max(case when name = '{{ name }}' then value end) as {{ type }}) as {{ name }}
    {{- ',' if not loop.last }}
    {%- endfor %}
from {{ ref('parameters') }}
{%- endmacro %}

{#- One parameter as a whole number, to compare with or to count with. -#}
{% macro parameter_value(name) -%}
(select cast(value as bigint) from {{ ref('parameters') }} where name = '{{ name }}')
{%- endmacro %}
