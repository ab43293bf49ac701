-- Role: Auditor
-- Question: From which files are the figures built?
-- Reading: Every file of every run. Of each loaded file, rows in the file = loaded +
--   quarantined + duplicate; the table has its SHA-256 and when it was delivered.

select
    feed,
    status,
    count(*) as files,
    sum(rows_in_file) as rows_in_file,
    sum(rows_loaded) as rows_loaded,
    sum(rows_quarantined) as rows_quarantined,
    sum(rows_duplicate) as rows_duplicate
from audit.load
group by feed, status
order by feed, status
