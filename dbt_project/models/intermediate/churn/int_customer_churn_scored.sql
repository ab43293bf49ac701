-- One row per ranked customer and month: the probability to leave within three months.
select
    cast(null as varchar) as customer_id,
    cast(null as date) as month,
    cast(null as integer) as month_number,
    cast(null as decimal(9, 6)) as churn_probability
where false
