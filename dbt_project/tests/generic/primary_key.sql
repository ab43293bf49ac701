{% test primary_key(model, columns, nullable=[]) %}
{#-
    Rows whose key is repeated, or null where it may not be; the key of a mart is proven
    here on every engine.
-#}
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
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
