-- Months in which the local networks do not add up to the group, measure by measure.
{%- set measures = [
    'customers', 'key_customers', 'active_subscriptions', 'active_accounts', 'revenue',
    'key_revenue', 'customers_before', 'customers_left', 'revenue_at_stake',
    'revenue_left', 'revenue_won', 'revenue_kept', 'revenue_grown',
    'complaint_exposure', 'complaints', 'overdue_amount',
] %}
with levels as (

    select
        month,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        region_level
    from {{ ref('region_summary_monthly') }}
    where region_level in ('local', 'group')
    group by month, region_level

)

select group_level.month
from levels as group_level
inner join levels as local_level
    on
        group_level.month = local_level.month
        and group_level.region_level = 'group'
        and local_level.region_level = 'local'
where (
    {%- for measure in measures %}
    {{ 'or ' if not loop.first }}group_level.{{ measure }} <> local_level.{{ measure }}
    {%- endfor %}
)
