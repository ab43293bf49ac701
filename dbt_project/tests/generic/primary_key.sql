{% test primary_key(model, columns) %}
{#- Rows whose key is null or repeated; the key of a mart is proven here on every engine. -#}
with keys as (

    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}

)

select * from keys
where
    row_count > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
