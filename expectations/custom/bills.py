"""Rules on what the bills of the closing month should look like, judged by the months before.

They read `checks.bills`, the counted invoices with their revenue in the reporting currency,
and `checks.awaited_bills`, the bills that habit lets expect (see expectations.prepared).
"""

from __future__ import annotations

from typing_extensions import override

from expectations.custom.base import QueryRule, parameter


class ExpectUsualBillsToArrive(QueryRule):
    """An account billed in each of the months before, and still served, has a bill."""

    @override
    def query(self) -> str:
        return "select account_id, amount, not has_arrived as failed from checks.awaited_bills"


class ExpectLostBillsToBeFew(QueryRule):
    """What the missing bills usually bring is a small part of what all usually bring.

    Where fewer accounts than volume_minimum_rows are billed every month, billing has no
    habit to be judged by.
    """

    @override
    def query(self) -> str:
        return f"""
with summed as (
    select
        sum(case when has_arrived then 0 else amount end) as lost_revenue,
        sum(amount) as usual_revenue
    from checks.awaited_bills
    having count(*) >= {parameter("volume_minimum_rows")}
)
select
    period.closing_month as billing_month,
    cast(summed.lost_revenue as decimal(18, 4)) as amount,
    summed.lost_revenue
        > {parameter("lost_bills_share_limit")} * greatest(summed.usual_revenue, 0) as failed
from summed
cross join checks.period as period
"""


class ExpectBillsOfTheUsualSize(QueryRule):
    """A bill is not many times the account's mean monthly revenue of the months before."""

    @override
    def query(self) -> str:
        return f"""
with earlier as (
    select
        bills.account_id,
        sum(bills.revenue) / count(distinct bills.billing_month) as usual_revenue
    from checks.bills as bills
    cross join checks.period as period
    where bills.billing_month < period.closing_month
        and datediff('month', bills.billing_month, period.closing_month)
            <= {parameter("amount_jump_months")}
    group by bills.account_id
    having count(distinct bills.billing_month) >= {parameter("billing_regular_months")}
        and sum(bills.revenue) > 0
)
select
    bills.invoice_id,
    cast(round(bills.revenue - earlier.usual_revenue, 4) as decimal(18, 4)) as amount,
    bills.revenue >= {parameter("amount_jump_factor")} * earlier.usual_revenue as failed
from checks.bills as bills
inner join checks.period as period on bills.billing_month = period.closing_month
inner join earlier on bills.account_id = earlier.account_id
"""


class ExpectBillsToBeDeliveredOnce(QueryRule):
    """No two normal bills of an account agree in month, dates, currency and amount.

    Only bills that share a hash of these with another are looked at one by one.
    """

    @override
    def query(self) -> str:
        alike = "account_id, billing_month, issued_on, due_on, currency, total_amount"
        return f"""
with suspected as (
    select hash({alike}) as likeness
    from checks.bills
    where category = 'normal' and total_amount <> 0
    group by likeness
    having count(*) > 1
),
numbered as (
    select
        invoice_id,
        revenue,
        row_number() over (partition by {alike} order by invoice_id) as occurrence
    from checks.bills
    where category = 'normal'
        and total_amount <> 0
        and hash({alike}) in (select likeness from suspected)
)
select invoice_id, revenue as amount, occurrence > 1 as failed
from numbered
"""
