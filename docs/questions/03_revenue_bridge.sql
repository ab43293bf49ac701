-- Role: BI analyst
-- Question: Where does each month's revenue come from: won, kept or grown?
-- Reading: Won (争) is of new and returned customers, kept (保) the smaller of last and
--   this month, grown (增) what expanding customers added. The first month has nothing
--   before it, so all of it is won.

select
    month,
    revenue_won,
    revenue_kept,
    revenue_grown,
    revenue
from marts.region_summary_monthly
where region_level = 'group'
order by month desc
limit 12
