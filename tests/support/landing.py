"""A small operator's landing area, made of rows: ten lines to read, every feed one needs."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

Row = Mapping[str, object]
FIRST_MONTH = dt.date(2025, 1, 1)


def write_feed(landing: Path, feed: str, file_name: str, rows: Sequence[Row]) -> Path:
    """Write rows as a CSV file of a feed (gzip when the name ends in .gz)."""
    path = landing / feed / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def month_at(index: int) -> dt.date:
    """The first day of the index-th month of the small operator, from 0."""
    number = FIRST_MONTH.year * 12 + FIRST_MONTH.month - 1 + index
    return dt.date(number // 12, number % 12 + 1, 1)


CUSTOMERS: list[tuple[str, str, str, str]] = [
    ("C1", "Zhang Wei", "individual", "GD-GZ"),
    ("C2", "Li Na", "individual", "GD-SZ"),
    ("C3", "Hengtong Logistics Co., Ltd", "organisation", "GD-SZ"),
    ("C4", "Wang Fang", "individual", "ZJ-HZ"),
]
MONTHLY_PRICE = {"C1": "120.00", "C2": "640.00", "C3": "9000.00", "C4": "58.50"}


def write_reference(reference: Path) -> Path:
    """The reference tables that fix the small operator's regions and products."""
    reference.mkdir(parents=True, exist_ok=True)
    (reference / "regions.csv").write_text(
        "region_code,region_name,region_level,parent_code,region_class\n"
        "CN,Group,group,,\n"
        "GD,Guangdong,province,CN,\n"
        "ZJ,Zhejiang,province,CN,\n"
        "GD-GZ,Guangzhou,local,GD,1\n"
        "GD-SZ,Shenzhen,local,GD,1\n"
        "ZJ-HZ,Hangzhou,local,ZJ,2\n"
    )
    (reference / "products.csv").write_text(
        "product_code,product_name,product_family,default_margin_share\n"
        "MOBILE,Mobile,mobile,0.45\n"
        "LINE,Leased line,leased_line,0.5\n"
    )
    return reference


def write_masters(landing: Path) -> None:
    """Customers, accounts and subscriptions, active from the first month on."""
    known = f"{FIRST_MONTH} 00:00:00"
    write_feed(
        landing,
        "customers",
        "customers.csv",
        [
            {
                "customer_id": customer,
                "customer_name": name,
                "legal_form": form,
                "region_code": region,
                "registered_on": FIRST_MONTH,
                "updated_at": known,
            }
            for customer, name, form, region in CUSTOMERS
        ],
    )
    write_feed(
        landing,
        "accounts",
        "accounts.csv",
        [
            {
                "account_id": f"A-{customer}",
                "customer_id": customer,
                "currency": "CNY",
                "payment_mode": "postpaid",
                "opened_on": FIRST_MONTH,
                "updated_at": known,
            }
            for customer, *_ in CUSTOMERS
        ],
    )
    write_feed(
        landing,
        "subscriptions",
        "subscriptions.csv",
        [
            {
                "subscription_id": f"S-{customer}",
                "account_id": f"A-{customer}",
                "product_code": "LINE" if customer == "C3" else "MOBILE",
                "activated_on": FIRST_MONTH,
                "updated_at": known,
            }
            for customer, *_ in CUSTOMERS
        ],
    )


def invoice(customer: str, month: dt.date, total: str, **changes: object) -> dict[str, object]:
    """One monthly bill, due on the 25th of the month billed; tax is left at 0."""
    return {
        "invoice_id": f"I-{customer}-{month:%Y%m}",
        "account_id": f"A-{customer}",
        "billing_month": month,
        "category": "normal",
        "issued_on": month.replace(day=5),
        "due_on": month.replace(day=25),
        "currency": "CNY",
        "total_amount": total,
        "tax_amount": "0.00",
        **changes,
    }


def write_month(landing: Path, month: dt.date) -> None:
    """Bills, charges and payments of one month: everybody pays on the 20th but C2."""
    bills = [invoice(customer, month, price) for customer, price in MONTHLY_PRICE.items()]
    write_feed(landing, "invoices", f"{month:%Y-%m}.csv.gz", bills)
    write_feed(
        landing,
        "charges",
        f"{month:%Y-%m}.csv",
        [
            {
                "charge_id": f"H-{bill['invoice_id']}",
                "invoice_id": bill["invoice_id"],
                "subscription_id": f"S-{customer}",
                "product_code": "LINE" if customer == "C3" else "MOBILE",
                "charge_type": "recurring",
                "amount": bill["total_amount"],
            }
            for customer, bill in zip(MONTHLY_PRICE, bills, strict=True)
        ],
    )
    write_feed(
        landing,
        "payments",
        f"{month:%Y-%m}.csv",
        [
            {
                "payment_id": f"P-{bill['invoice_id']}",
                "account_id": bill["account_id"],
                "invoice_id": bill["invoice_id"],
                "paid_on": month.replace(day=20),
                "amount": bill["total_amount"],
            }
            for customer, bill in zip(MONTHLY_PRICE, bills, strict=True)
            if customer != "C2"
        ],
    )


def write_small_operator(folder: Path, months: int = 3) -> tuple[Path, Path]:
    """Landing and reference folders of the small operator, with that many months."""
    landing = folder / "landing"
    write_masters(landing)
    for index in range(months):
        write_month(landing, month_at(index))
    return landing, write_reference(folder / "reference")
