-- Role: Retention
-- Question: Can the churn score be trusted?
-- Reading: Tenths of the customers by probability, the highest first: departures
--   foretold against those that came, over months the fit had not learnt from.

select
    decile,
    sum(customers) as customers,
    sum(predicted) as predicted,
    sum(realised) as realised
from marts.churn_backtest
where not is_in_sample
group by decile
order by decile
