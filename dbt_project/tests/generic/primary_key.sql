{% test primary_key(model, columns, nullable=[]) %}
{#-
    Rows whose key is repeated, or null where it may not be; the key of a mart is proven
    here on every engine. Of a table built by month, the months that a run builds are
    looked into: in those that stay it was proven when they were built.
-#}
with keys as (

    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    where {{ can_be_new(model, columns) }}
    group by {{ columns | join(', ') }}

)

select * from keys
where
    row_count > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
