select
    cast(null as varchar) as customer_id,
    cast(null as date) as month,
    cast(null as bigint) as month_number,
    cast(null as decimal(18, 4)) as outstanding_amount,
    cast(null as decimal(18, 4)) as overdue_amount,
    cast(null as double) as on_time_ratio_12m,
    cast(null as bigint) as longest_delay_days,
    cast(null as varchar) as credit_grade,
    cast(null as boolean) as has_open_balance
where false
