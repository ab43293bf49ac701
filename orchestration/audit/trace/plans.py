"""Which published marts can be traced, and on which delivered rows each stands."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Plan:
    """How a mart is traced: its month column, and which rows of which feeds it stands on.

    The conditions speak of the tables `bills` (bills of the months behind the row),
    `owned` (accounts) and `sold` (products and region), and of the parameters `customer`,
    `month` and `first_month`.
    """

    month: str
    feeds: dict[str, str]
    between: dict[str, str] = field(default_factory=dict)


_BILLED = {
    "accounts": "account_id in (select account_id from owned)",
    "invoices": "invoice_id in (select invoice_id from bills)",
    "charges": "invoice_id in (select invoice_id from bills)",
}
_HELD = {
    "customers": "customer_id = $customer",
    "subscriptions": "account_id in (select account_id from owned)",
}
_PAID = {
    "payments": "account_id in (select account_id from owned) "
    "and date_trunc('month', paid_on) = $month"
}
_OPENED = {
    "complaints": "customer_id = $customer and date_trunc('month', opened_at) "
    "between $month - interval 11 month and $month"
}
OF_MONTHS = "customer_id = $customer and month between $first_month and $month"
PLANS = {
    "marts.fct_revenue_monthly": Plan(
        "month", {**_BILLED, "subscriptions": _HELD["subscriptions"]}
    ),
    "marts.fct_invoice": Plan(
        "billing_month",
        {
            **_BILLED,
            "payments": "invoice_id in (select invoice_id from bills) or "
            "(invoice_id is null and account_id in (select account_id from owned))",
        },
    ),
    "marts.customer_monthly": Plan("month", {**_HELD, **_BILLED, **_PAID, **_OPENED}),
    "marts.customer_value_monthly": Plan(
        "month",
        {
            **_HELD,
            **_BILLED,
            "contacts": "customer_id = $customer and date_trunc('month', contacted_at) = $month",
            **_OPENED,
            "service_costs": "cost_month = $month "
            "and (product_code, region_code) in (select product_code, region_code from sold)",
        },
        {
            "marts.customer_value_monthly": "customer_id = $customer "
            "and month between $month - interval 11 month and $month"
        },
    ),
    "marts.customer_tier_monthly": Plan(
        "month", {**_HELD, **_BILLED}, {"marts.customer_tier_monthly": OF_MONTHS}
    ),
}
