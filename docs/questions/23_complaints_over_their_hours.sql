-- Role: Complaint desk
-- Question: Which complaints are open beyond their hours?
-- Reading: The longest over the hours of their class and severity first, as of the end
--   of the closing month.

select
    complaint_id,
    customer_id,
    service_class,
    severity,
    category,
    resolve_hours,
    resolve_limit_hours,
    resolve_hours - resolve_limit_hours as hours_over
from marts.fct_complaint
where
    is_open
    and resolve_breached
order by hours_over desc, complaint_id asc
limit 10
