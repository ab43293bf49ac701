{#-
    The snapshot is written before a run is published. Beliefs of a run that never was
    published would hide later ones (dbt sees no change and writes none), so each
    snapshot first undoes those of earlier runs.
-#}

{% macro published_run_ids() -%}
select run_id from {{ ref('stg_control__finished_runs') }} where status = 'published'
{%- endmacro %}

{#- A run closes rows at the instant at which it opens its own. -#}
{% macro reopen_beliefs_closed_by_unpublished_runs(snapshot) -%}
{%- if execute and load_relation(snapshot) is not none -%}
update {{ snapshot }}
set dbt_valid_to = null
where dbt_valid_to in (
    select dbt_valid_from from {{ snapshot }}
    where run_id not in ({{ published_run_ids() }})
)
{%- endif -%}
{%- endmacro %}

{% macro remove_beliefs_of_unpublished_runs(snapshot) -%}
{%- if execute and load_relation(snapshot) is not none -%}
delete from {{ snapshot }}
where run_id not in ({{ published_run_ids() }})
{%- endif -%}
{%- endmacro %}

{#- A killed run is in no ledger; what it reconciled is nobody's evidence. -#}
{% macro remove_rows_of_unrecorded_runs(table) -%}
{%- if execute and load_relation(table) is not none -%}
delete from {{ table }}
where run_id not in (select run_id from {{ ref('stg_control__finished_runs') }})
{%- endif -%}
{%- endmacro %}
