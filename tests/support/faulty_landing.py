"""An operator of forty small accounts and one whale, and the faults of the catalogue.

Eight months, January to August 2025. Everybody is billed once a month, a small account 100.00
and the whale 1200.00, both less tax, and pays in the month.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.landing import FIRST_MONTH, month_at, write_feed

Row = dict[str, object]
MONTHS = 8
SMALL = [f"C{number:02}" for number in range(1, 41)]
WHALE = "WHALE"
CUSTOMERS = [*SMALL, WHALE]
LEFT_REGION = set(SMALL[:5])
APRIL, AUGUST = 3, 7
LOST = SMALL[:15]


def price(customer: str) -> int:
    """What a customer is billed a month, without tax."""
    return 1200 if customer == WHALE else 100


class FaultyLanding:
    """The rows of every feed by file, to be changed before they are written."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], list[Row]] = {
            ("customers", "all.csv"): [_customer(customer) for customer in CUSTOMERS],
            ("accounts", "all.csv"): [_account(customer) for customer in CUSTOMERS],
            ("subscriptions", "all.csv"): [_subscription(customer) for customer in CUSTOMERS],
        }
        self.regions = {"R1": 1, "R2": 1}
        for index in range(MONTHS):
            name = f"{month_at(index):%Y-%m}.csv"
            bills = [_bill(customer, month_at(index)) for customer in CUSTOMERS]
            self.files["invoices", name] = bills
            self.files["charges", name] = [_charge(bill) for bill in bills]
            self.files["payments", name] = [_payment(bill) for bill in bills]
            self.files["complaints", name] = [_complaint(SMALL[0], month_at(index))]

    def rows(self, feed: str, index: int) -> list[Row]:
        """The rows of a feed and month."""
        return self.files[feed, f"{month_at(index):%Y-%m}.csv"]

    def bill(self, customer: str, index: int) -> Row:
        """The bill of a customer and month."""
        return next(row for row in self.rows("invoices", index) if row["account_id"] == customer)

    def charge(self, customer: str, index: int) -> Row:
        """The only charge of that bill."""
        bill = self.bill(customer, index)["invoice_id"]
        return next(row for row in self.rows("charges", index) if row["invoice_id"] == bill)

    def lose(self, customer: str, index: int) -> None:
        """Take away a bill with what hangs on it."""
        bill = self.bill(customer, index)["invoice_id"]
        for feed in ("invoices", "charges", "payments"):
            rows = self.rows(feed, index)
            rows[:] = [row for row in rows if row["invoice_id"] != bill]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write landing and reference folders."""
        landing, reference = folder / "landing", folder / "reference"
        for (feed, name), rows in self.files.items():
            if rows:
                write_feed(landing, feed, name, rows)
        reference.mkdir(parents=True, exist_ok=True)
        (reference / "regions.csv").write_text(
            "region_code,region_name,region_level,parent_code,region_class\n"
            "CN,Group,group,,\nP,Province,province,CN,\n"
            + "".join(f"{code},{code},local,P,{size}\n" for code, size in self.regions.items())
        )
        (reference / "products.csv").write_text(
            "product_code,product_name,product_family,default_margin_share\n"
            "MOBILE,Mobile,mobile,0.45\n"
        )
        (reference / "fx_rates.csv").write_text(
            "month,currency,cny_per_unit\n"
            + "".join(f"{month_at(index)},USD,7\n" for index in range(MONTHS))
        )
        return landing, reference


def duplicate_bill(landing: FaultyLanding) -> None:
    bill = {**landing.bill("C20", AUGUST), "invoice_id": "AGAIN"}
    landing.rows("charges", AUGUST).append(_charge(bill))
    landing.rows("invoices", AUGUST).append(bill)


def lost_bills(landing: FaultyLanding) -> None:
    for customer in LOST:
        landing.lose(customer, AUGUST)


def tenfold_amount(landing: FaultyLanding) -> None:
    landing.bill("C20", AUGUST).update(total_amount="1060.00", tax_amount="60.00")
    landing.charge("C20", AUGUST)["amount"] = "1000.00"


def currency_mixed_up(landing: FaultyLanding) -> None:
    landing.bill("C20", AUGUST)["currency"] = "USD"


def orphan_complaint(landing: FaultyLanding) -> None:
    landing.rows("complaints", AUGUST).append(
        {**_complaint("NOBODY", month_at(AUGUST)), "compensation": "50.00"}
    )


def future_date(landing: FaultyLanding) -> None:
    landing.bill("C20", AUGUST).update(issued_on="2099-09-01", due_on="2099-09-25")


def region_code_gone(landing: FaultyLanding) -> None:
    del landing.regions["R2"]


def month_missing(landing: FaultyLanding) -> None:
    for customer in CUSTOMERS:
        landing.lose(customer, APRIL)


def whales_bill_missing(landing: FaultyLanding) -> None:
    landing.lose(WHALE, AUGUST)


FAULTS: Mapping[str, Callable[[FaultyLanding], None]] = {
    "duplicate bill": duplicate_bill,
    "lost bills": lost_bills,
    "tenfold amount": tenfold_amount,
    "currency mixed up": currency_mixed_up,
    "orphan complaint": orphan_complaint,
    "future date": future_date,
    "region code gone": region_code_gone,
    "month missing": month_missing,
    "a whale's bill missing": whales_bill_missing,
}


def _customer(customer: str) -> Row:
    return {
        "customer_id": customer,
        "customer_name": f"Name of {customer}",
        "legal_form": "individual",
        "region_code": "R2" if customer in LEFT_REGION else "R1",
        "registered_on": FIRST_MONTH,
        "updated_at": f"{FIRST_MONTH} 00:00:00",
    }


def _account(customer: str) -> Row:
    return {
        "account_id": customer,
        "customer_id": customer,
        "currency": "CNY",
        "payment_mode": "postpaid",
        "opened_on": FIRST_MONTH,
        "updated_at": f"{FIRST_MONTH} 00:00:00",
    }


def _subscription(customer: str) -> Row:
    return {
        "subscription_id": customer,
        "account_id": customer,
        "product_code": "MOBILE",
        "activated_on": FIRST_MONTH,
        "updated_at": f"{FIRST_MONTH} 00:00:00",
    }


def _bill(customer: str, month: dt.date) -> Row:
    return {
        "invoice_id": f"{customer}-{month:%m}",
        "account_id": customer,
        "billing_month": month,
        "category": "normal",
        "issued_on": month.replace(day=5),
        "due_on": month.replace(day=25),
        "currency": "CNY",
        "total_amount": f"{price(customer) * 106 / 100:.2f}",
        "tax_amount": f"{price(customer) * 6 / 100:.2f}",
    }


def _charge(bill: Row) -> Row:
    customer = str(bill["account_id"])
    return {
        "charge_id": f"H-{bill['invoice_id']}",
        "invoice_id": bill["invoice_id"],
        "subscription_id": customer,
        "product_code": "MOBILE",
        "charge_type": "recurring",
        "amount": f"{price(customer)}.00",
    }


def _payment(bill: Row) -> Row:
    month = bill["billing_month"]
    assert isinstance(month, dt.date)
    return {
        "payment_id": f"P-{bill['invoice_id']}",
        "account_id": bill["account_id"],
        "invoice_id": bill["invoice_id"],
        "paid_on": month.replace(day=20),
        "amount": bill["total_amount"],
    }


def _complaint(customer: str, month: dt.date) -> Row:
    return {
        "complaint_id": f"K-{customer}-{month:%m}",
        "customer_id": customer,
        "kind": "complaint",
        "category": "billing",
        "severity": "minor",
        "channel": "hotline",
        "opened_at": f"{month:%Y-%m}-10 09:00:00",
        "compensation": "0.00",
        "status": "open",
        "updated_at": f"{month:%Y-%m}-10 09:00:00",
    }
