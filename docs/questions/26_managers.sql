-- Role: Region manager
-- Question: How do the customer managers compare?
-- Reading: The score weighs the percentile ranks of the measured indicators by
--   `manager_kpi_weights`.

select
    scores.manager_id,
    managers.team,
    scores.customers,
    scores.revenue,
    scores.retention_rate,
    scores.key_visited_share,
    scores.overdue_share,
    scores.score
from marts.manager_scorecard_monthly as scores
inner join marts.dim_manager as managers
    on scores.manager_id = managers.manager_id
where scores.month = (select max(month) from marts.dim_month where is_closed)
order by scores.score desc nulls last, scores.manager_id asc
limit 10
