"""What failing rows stand for: how many customers, of which tiers, with how much revenue.

The revenue is that of the customers concerned over the last months of the run (parameter
affected_revenue_months), in the reporting currency, so that one broken bill of a large
account outranks ten thousand of a cent. Rows that belong to no customer (a month, a region)
stand for the revenue that their own rule measured, if it measured any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.results import Layer

if TYPE_CHECKING:
    from expectations.custom.base import Rule

# Which customer a row belongs to, by the first of these columns that it has.
_BEARERS: dict[Layer, dict[str, str]] = {
    "raw": {
        "customer_id": "",
        "account_id": "select account_id, customer_id from checks.accounts",
        "invoice_id": "select invoice_id, customer_id from checks.bills",
        "subscription_id": (
            "select subscription_id, customer_id from checks.subscriptions"
            " inner join checks.accounts using (account_id)"
        ),
        "charge_id": (
            "select charge_id, customer_id from checks.charges"
            " inner join checks.bills using (invoice_id)"
        ),
        "payment_id": (
            "select payment_id, customer_id from checks.payments"
            " inner join checks.accounts using (account_id)"
        ),
        "contract_id": "select contract_id, customer_id from checks.contracts",
        "contact_id": "select contact_id, customer_id from checks.contacts",
        "complaint_id": "select complaint_id, customer_id from checks.complaints",
        "proposal_id": "select proposal_id, customer_id from checks.proposals",
    },
    "marts": {
        "customer_id": "",
        "invoice_id": "select invoice_id, customer_id from marts.fct_invoice",
        "complaint_id": "select complaint_id, customer_id from marts.fct_complaint",
        "account_id": "select distinct account_id, customer_id from marts.fct_revenue_monthly",
    },
}

_REVENUES: dict[Layer, str] = {
    "raw": "select customer_id, revenue from checks.revenues",
    "marts": """
        select earned.customer_id, sum(earned.revenue) as revenue
        from marts.customer_monthly as earned
        cross join (select max(month) as month from marts.dim_month where is_closed) as closing
        where earned.month <= closing.month
            and datediff('month', earned.month, closing.month) < (
                select cast(max(value) as integer) from reference.parameters
                where name = 'affected_revenue_months'
            )
        group by earned.customer_id
    """,
}


@dataclass(frozen=True)
class Weight:
    """What the failing rows of one rule stand for; None where nothing can be said.

    `tiers` lists the customers' tiers with their numbers, the most frequent first.
    """

    customers: int | None = None
    revenue: Decimal | None = None
    tiers: str | None = None


def weigh(execution_engine: Any, layer: Layer, rule: Rule, tiers: Path | None) -> Weight:
    """The weight of a rule's failing rows, in one query that brings back one row.

    `tiers` is the folder of a published dim_customer, for the raw layer.
    """
    from expectations.custom.base import QueryRule, fetch

    failing = rule.failing_rows_sql()
    columns = [
        row["column_name"]
        for row in fetch(execution_engine, f"select column_name from (describe {failing})")
    ]
    bearer = next((column for column in _BEARERS[layer] if column in columns), None)
    if bearer is None:
        if not (isinstance(rule, QueryRule) and rule.amount_is_revenue):
            return Weight()
        total = fetch(execution_engine, f"select sum(abs(amount)) as money from ({failing})")
        return Weight(revenue=_money(total[0]["money"]))
    found = fetch(execution_engine, _query(layer, failing, bearer, _tiers_sql(layer, tiers)))
    return _weight(found[0])


def _tiers_sql(layer: Layer, published: Path | None) -> str:
    columns = "select customer_id, tier_code from"
    if layer == "marts":
        return f"{columns} marts.dim_customer"
    if published is None:
        return "select null as customer_id, null as tier_code where false"
    return f"{columns} read_parquet('{published}/*.parquet')"


def _query(layer: Layer, failing: str, bearer: str, tiers: str) -> str:
    owners = _BEARERS[layer][bearer]
    named = f"select distinct {bearer} from ({failing}) as failing where {bearer} is not null"
    concerned = (
        f"select distinct customer_id from ({owners}) as owners"
        f" inner join ({named}) as named using ({bearer}) where customer_id is not null"
        if owners
        else named
    )
    return f"""
with concerned as materialized ({concerned}),
revenues as ({_REVENUES[layer]}),
tiers as ({tiers}),
weighed as (
    select tiers.tier_code, count(*) as customers, sum(revenues.revenue) as revenue
    from concerned
    left join revenues on concerned.customer_id = revenues.customer_id
    left join tiers on concerned.customer_id = tiers.customer_id
    group by tiers.tier_code
)
select
    cast(coalesce(sum(customers), 0) as bigint) as customers,
    cast(coalesce(sum(revenue), 0) as varchar) as revenue,
    string_agg(tier_code || ' ' || customers, ', ' order by customers desc, tier_code) as tiers
from weighed
"""


def _weight(row: Mapping[str, Any]) -> Weight:
    return Weight(
        customers=int(row["customers"]), revenue=_money(row["revenue"]), tiers=row["tiers"]
    )


def _money(total: object) -> Decimal | None:
    return None if total is None else Decimal(str(total)).quantize(Decimal("0.0001"))
