"""What `baseline.sql` computes, in pandas: the same rules, results and omissions.

Money is whole numbers of 10^-4, so that sums are exact. Everything is held in memory at once:
count on half a gigabyte per 10 000 customers and 24 months.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

OPEN = 999_999  # the month number of an end that has not come
COUNTED = ("normal", "interim", "last", "credit_note")
TYPES = ("recurring", "usage", "one_off", "discount", "adjustment", "unitemised")
NAMES = ("recurring_revenue", "usage_revenue", "one_off_revenue", "discount", "adjustment")
REVENUE = ("revenue", *NAMES, "unitemised_revenue")
PLACES = 10_000
RATE_PLACES = 10**8
SHARE_PLACES = 10**6


# Reading ----------------------------------------------------------------------------------


def read_parquet(folder: Path, columns: Sequence[str]) -> pd.DataFrame:
    """The files of a feed; decimals as floats, dates as timestamps."""
    table = parquet.read_table(folder, columns=list(columns))
    for number, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type):
            table = table.set_column(number, column.name, table[number].cast(pa.float64()))
        elif pa.types.is_date(column.type):
            table = table.set_column(number, column.name, table[number].cast(pa.timestamp("s")))
    return table.to_pandas()


def read_csv(
    folder: Path, columns: Sequence[str], dates: Sequence[str], numbers: Sequence[str] = ()
) -> pd.DataFrame:
    """The files of a feed; text, but for dates and numbers."""
    types: dict[str, Any] = {name: "str" for name in columns if name not in dates}
    types |= dict.fromkeys(numbers, "float64")
    return pd.concat(
        (
            pd.read_csv(path, usecols=list(columns), dtype=types, parse_dates=list(dates))
            for path in sorted(folder.glob("*.csv*"))
        ),
        ignore_index=True,
    )


# Arithmetic -------------------------------------------------------------------------------


def money(amounts: pd.Series, places: int = PLACES) -> pd.Series:
    """Whole numbers of 10^-4."""
    return pd.Series(np.rint(amounts * places), index=amounts.index).astype("int64")


def divided(total: Any, parts: Any) -> Any:
    """A quotient rounded half away from zero."""
    return np.sign(total) * ((2 * abs(total) + parts) // (2 * parts))


def converted(frame: pd.DataFrame, amount: str, rates: pd.Series) -> pd.Series:
    """An amount in CNY: at the rate of its currency in month `m`."""
    result = frame[amount].copy()
    foreign = frame.index[frame["currency"] != "CNY"]
    keys = pd.MultiIndex.from_frame(frame.loc[foreign, ["m", "currency"]])
    # Python's own whole numbers: amount times rate outgrows 64 bits.
    product = frame.loc[foreign, amount].astype(object) * rates.reindex(keys).to_numpy(object)
    result.loc[foreign] = np.array([half_up(each) for each in product], dtype="int64")
    return result.astype("int64")


def half_up(product: int) -> int:
    """An amount times a rate, rounded half away from zero."""
    rounded = (2 * abs(product) + RATE_PLACES) // (2 * RATE_PLACES)
    return rounded if product >= 0 else -rounded


def month_number(days: pd.Series) -> pd.Series:
    """Months since year 0; neighbours differ by 1."""
    return (days.dt.year * 12 + days.dt.month - 1).astype("float64")


def spread(frame: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """A row per month from `month_from` to before `month_to`, within first and last."""
    start = frame["month_from"].clip(lower=first).astype("int64").to_numpy()
    end = frame["month_to"].clip(upper=last + 1).astype("int64").to_numpy()
    counts = np.maximum(end - start, 0)
    result = frame.loc[frame.index.repeat(counts)].drop(columns=["month_from", "month_to"])
    offsets = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    return result.assign(m=np.repeat(start, counts) + offsets).reset_index(drop=True)


def versions_as_of(versions: pd.DataFrame, key: str) -> pd.DataFrame:
    """The version that counts in each month, from `month_from` to before `month_to`."""
    ordered = versions.sort_values([key, "updated_at"])
    month = month_number(ordered["updated_at"])
    ordered["month_from"] = month.where(ordered[key].duplicated(), 0).astype("int64")
    latest = ~ordered.duplicated([key, "month_from"], keep="last")
    ordered = ordered[latest]
    following = ordered.groupby(key)["month_from"].shift(-1)
    return ordered.assign(month_to=following.fillna(OPEN).astype("int64"))


def held_then(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows whose month lies in the range joined to them."""
    inside = (frame["m"] >= frame["month_from"]) & (frame["m"] < frame["month_to"])
    return frame[inside].drop(columns=["month_from", "month_to"])


def running(frame: pd.DataFrame, keys: Sequence[str], column: str) -> pd.Series:
    """Sums so far in the order of the rows."""
    return frame.groupby(list(keys), sort=False)[column].cumsum()


def window_sum(frame: pd.DataFrame, column: str, months: int) -> pd.Series:
    """Sums over the last months of a customer, missing ones counting nothing.

    Needs rows in order of customer and month.
    """
    total = frame[column].copy()
    for back in range(1, months):
        before = frame.groupby("customer_id", sort=False)[["m", column]].shift(back)
        inside = frame["m"] - before["m"] < months
        total += before[column].where(inside, 0).fillna(0).astype("int64")
    return total


# The four groups --------------------------------------------------------------------------


@dataclass
class Operator:
    """Where the files are, and the months of the run."""

    landing: Path
    reference: Path
    closing_month: date
    first: int = 0  # known once the bills are read

    @property
    def closing(self) -> pd.Timestamp:
        """The first day of the last month."""
        return pd.Timestamp(self.closing_month)

    @property
    def last(self) -> int:
        """The number of the last month."""
        return self.closing.year * 12 + self.closing.month - 1

    def table(self, name: str) -> pd.DataFrame:
        """A reference table."""
        return pd.read_csv(self.reference / f"{name}.csv")

    def parameter(self, name: str) -> int:
        """A whole number of the rulebook."""
        return int(self.table("parameters").set_index("name")["value"][name])

    def rates(self) -> pd.Series:
        """CNY per unit by month and currency, in whole numbers of 10^-8."""
        rates = pd.read_csv(self.reference / "fx_rates.csv", parse_dates=["month"])
        rates["m"] = month_number(rates["month"]).astype("int64")
        values = money(rates["cny_per_unit"], RATE_PLACES).tolist()
        return pd.Series(
            values, index=pd.MultiIndex.from_frame(rates[["m", "currency"]]), dtype=object
        )

    @property
    def month_ends(self) -> pd.Series:
        """The last day of each month by its number."""
        numbers = range(self.first, self.last + 1)
        starts = pd.to_datetime([f"{each // 12}-{each % 12 + 1:02}-01" for each in numbers])
        return pd.Series(starts + pd.offsets.MonthEnd(0), index=list(numbers))


@dataclass
class Register:
    """Customers, accounts and what they hold, as of each month."""

    customers: pd.DataFrame
    customer_versions: pd.DataFrame
    postpaid: pd.Series
    owners: pd.DataFrame
    held: pd.DataFrame


def read_register(operator: Operator) -> Register:
    """Customers, accounts and subscriptions."""
    names = ("customer_id", "legal_form", "industry", "region_code", "parent_customer_id")
    versions = read_parquet(
        operator.landing / "customers", (*names, "designation", "strategic_flag", "updated_at")
    )
    latest = versions.sort_values("updated_at").drop_duplicates("customer_id", keep="last")
    customers = latest[["customer_id", "legal_form"]].copy()
    is_organisation = customers["legal_form"] == "organisation"
    customers["peer_industry"] = latest["industry"].fillna("").where(is_organisation, "")
    parents = latest.set_index("customer_id")["parent_customer_id"].dropna()
    group = customers["customer_id"]
    while group.isin(parents.index).any():
        group = group.map(parents).fillna(group)
    customers["group_id"] = group
    accounts = read_csv(
        operator.landing / "accounts",
        ("account_id", "customer_id", "payment_mode", "updated_at"),
        ("updated_at",),
    )
    modes = accounts.sort_values("updated_at").drop_duplicates("account_id", keep="last")
    owners = versions_as_of(accounts, "account_id")
    owners = owners[["account_id", "customer_id", "month_from", "month_to"]]
    return Register(
        customers,
        versions_as_of(versions, "customer_id"),
        modes.set_index("account_id")["payment_mode"] == "postpaid",
        owners,
        read_held(operator, owners),
    )


def read_held(operator: Operator, owners: pd.DataFrame) -> pd.DataFrame:
    """Every subscription under each owner of its account."""
    names = ("subscription_id", "account_id", "product_code", "activated_on", "deactivated_on")
    versions = read_parquet(operator.landing / "subscriptions", (*names, "updated_at"))
    held = versions.sort_values("updated_at").drop_duplicates("subscription_id", keep="last")
    held = held.merge(owners, on="account_id")
    activated, deactivated = (
        month_number(held[name]) for name in ("activated_on", "deactivated_on")
    )
    ended = np.maximum(activated, deactivated.fillna(OPEN))
    served = deactivated + (held["deactivated_on"].dt.day > 1)
    served = served.where(held["deactivated_on"] > held["activated_on"], 0)
    served = served.where(held["deactivated_on"].notna(), OPEN)
    began = np.maximum(activated, held["month_from"])
    held["active_from"] = began.astype("int64")
    held["active_to"] = np.minimum(ended, held["month_to"]).astype("int64")
    held["served_to"] = np.minimum(served, held["month_to"]).astype("int64")
    own = (activated >= held["month_from"]) & (activated < held["month_to"])
    held["is_held"] = own | (held["active_from"] < held["active_to"])
    return held.drop(columns=["month_from", "month_to"])


def read_bills(operator: Operator, register: Register) -> pd.DataFrame:
    """The counted bills of the run."""
    dates = ("billing_month", "issued_on", "due_on")
    bills = read_csv(
        operator.landing / "invoices",
        ("invoice_id", "account_id", "category", "currency", "total_amount", "tax_amount", *dates),
        dates,
        ("total_amount", "tax_amount"),
    )
    bills = bills[bills["category"].isin(COUNTED) & (bills["billing_month"] <= operator.closing)]
    bills = bills.assign(
        m=month_number(bills["billing_month"]).astype("int64"),
        issued=month_number(bills["issued_on"]).astype("int64"),
        total_amount=money(bills["total_amount"]),
        tax_amount=money(bills["tax_amount"]),
        is_postpaid=bills["account_id"].map(register.postpaid),
    )
    operator.first = int(bills["m"].min())
    return held_then(bills.merge(register.owners, on="account_id")).reset_index(drop=True)


def revenue_monthly(operator: Operator, register: Register, bills: pd.DataFrame) -> pd.DataFrame:
    """Revenue by customer, account, product and month."""
    charges = read_parquet(
        operator.landing / "charges", ("invoice_id", "product_code", "charge_type", "amount")
    )
    charges["amount"] = money(charges["amount"])
    keys = ["customer_id", "account_id", "product_code", "m"]
    known = bills[["invoice_id", "customer_id", "account_id", "m", "currency"]]
    lines = charges.merge(known, on="invoice_id")
    bare = bills[~bills["invoice_id"].isin(charges["invoice_id"])]
    del charges
    bare = bare.assign(
        amount=bare["total_amount"] - bare["tax_amount"],
        product_code="UNITEMISED",
        charge_type="unitemised",
    )
    lines = pd.concat([lines, bare[lines.columns]], ignore_index=True)
    lines["amount"] = converted(lines, "amount", operator.rates())
    by_type = (
        lines.groupby([*keys, "charge_type"], sort=False)["amount"].sum().unstack(fill_value=0)
    )
    by_type = by_type.reindex(columns=list(TYPES), fill_value=0)
    by_type.columns = pd.Index(REVENUE[1:])
    by_type.insert(0, "revenue", by_type.sum(axis=1))
    ranges = register.held.rename(columns={"active_from": "month_from", "active_to": "month_to"})
    active = spread(
        ranges[["customer_id", "account_id", "product_code", "month_from", "month_to"]],
        operator.first,
        operator.last,
    )
    counts = active.groupby(keys, sort=False).size().rename("active_subscriptions")
    return by_type.join(counts, how="outer").fillna(0).astype("int64").reset_index()


def customer_revenue(revenue: pd.DataFrame, bills: pd.DataFrame) -> pd.DataFrame:
    """Revenue by customer and month with a bill."""
    billed = bills[["customer_id", "m"]].drop_duplicates()
    summed = revenue.groupby(["customer_id", "m"], sort=False)["revenue"].sum().reset_index()
    return billed.merge(summed, on=["customer_id", "m"])


def revenue_movement(operator: Operator, earned: pd.DataFrame) -> pd.DataFrame:
    """From month to month, a row where there is something on either side."""
    before = earned[earned["m"] < operator.last].rename(columns={"revenue": "revenue_before"})
    moved = earned.merge(before.assign(m=before["m"] + 1), on=["customer_id", "m"], how="outer")
    moved[["revenue", "revenue_before"]] = moved[["revenue", "revenue_before"]].fillna(0)
    moved = moved[(moved["revenue"] != 0) | (moved["revenue_before"] != 0)]
    first = earned[earned["revenue"] > 0].groupby("customer_id")["m"].min()
    now, then = moved["revenue"], moved["revenue_before"]
    moved["movement"] = np.select(
        [
            (now <= 0) & (then <= 0),
            now <= 0,
            moved["m"] == moved["customer_id"].map(first),
            then <= 0,
            now > then,
            now < then,
        ],
        ["flat", "lost", "new", "returned", "expansion", "contraction"],
        "flat",
    )
    moved["change"] = now - then
    return moved


def read_payments(operator: Operator, bills: pd.DataFrame) -> pd.DataFrame:
    """Payments; those of bills that do not count name none."""
    payments = read_csv(
        operator.landing / "payments",
        ("payment_id", "account_id", "invoice_id", "paid_on", "amount"),
        ("paid_on",),
        ("amount",),
    )
    payments = payments[payments["paid_on"] <= operator.closing + pd.offsets.MonthEnd(0)]
    counted = payments["invoice_id"].isin(bills["invoice_id"])
    return payments.assign(
        invoice_id=payments["invoice_id"].where(counted, None),
        amount=money(payments["amount"]),
        m=month_number(payments["paid_on"]).astype("int64"),
    ).reset_index(drop=True)


def account_kinds(receivable: pd.DataFrame, payments: pd.DataFrame) -> pd.Series:
    """How the bills of each account settle: apart, in order, or one event at a time."""
    kinds = pd.DataFrame({"credit": (receivable["total_amount"] < 0)})
    kinds = kinds.groupby(receivable["account_id"]).any()
    is_named = payments["invoice_id"].notna()
    kinds["named"] = kinds.index.isin(payments.loc[is_named, "account_id"])
    kinds["unnamed"] = kinds.index.isin(payments.loc[~is_named, "account_id"])
    named = payments[is_named].assign(back=payments["amount"] < 0)
    named = named.sort_values(["invoice_id", "paid_on", "back", "payment_id"])
    so_far = running(named, ["invoice_id"], "amount")
    totals = receivable.set_index("invoice_id")["total_amount"]
    excess = so_far > named["invoice_id"].map(totals)
    kinds["excess"] = kinds.index.isin(named.loc[excess, "account_id"])
    single = kinds["credit"] | kinds["unnamed"] | kinds["excess"]
    return pd.Series(
        np.select([~kinds["named"], single], ["in order", "one by one"], "apart"), kinds.index
    )


def open_apart(bills: pd.DataFrame, payments: pd.DataFrame) -> pd.DataFrame:
    """What is open of bills that are settled by payments naming them alone."""
    paid = payments[["invoice_id", "m", "amount"]].merge(
        bills[["invoice_id", "issued"]], on="invoice_id"
    )
    paid["m"] = np.maximum(paid["m"], paid["issued"])
    issued = bills[["invoice_id", "issued", "total_amount"]]
    issued = issued.set_axis(["invoice_id", "m", "amount"], axis=1)
    changes = pd.concat(
        [issued, paid[["invoice_id", "m", "amount"]].assign(amount=-paid["amount"])]
    )
    changes = changes.groupby(["invoice_id", "m"])["amount"].sum().reset_index()
    changes["open_amount"] = running(changes, ["invoice_id"], "amount")
    changes["month_to"] = changes.groupby("invoice_id", sort=False)["m"].shift(-1).fillna(OPEN)
    changes = changes[changes["open_amount"] > 0].rename(columns={"m": "month_from"})
    return changes.drop(columns="amount")


def open_in_order(operator: Operator, bills: pd.DataFrame, payments: pd.DataFrame) -> pd.DataFrame:
    """What is open where the oldest bill is always settled first."""
    owed = bills[bills["total_amount"] > 0].sort_values(["account_id", "issued_on", "invoice_id"])
    owed = owed.assign(ends_at=running(owed, ["account_id"], "total_amount"))
    changes = pd.concat(
        [
            payments[["account_id", "m", "amount"]].assign(billed=0),
            bills[["account_id"]].assign(
                m=bills["issued"],
                amount=(-bills["total_amount"]).clip(lower=0),
                billed=bills["total_amount"].clip(lower=0),
            ),
        ]
    )
    months = pd.RangeIndex(operator.first, operator.last + 1)
    changes = changes.groupby(["account_id", "m"])[["amount", "billed"]].sum()
    every = pd.MultiIndex.from_product([changes.index.levels[0], months], names=["account_id", "m"])
    reached = changes.reindex(every, fill_value=0).groupby("account_id").cumsum().reset_index()
    reached = reached[reached["billed"] > reached["amount"]]
    items = reached.merge(owed, on="account_id", suffixes=("", "_billed"))
    items = items[(items["ends_at"] > items["amount"]) & (items["issued"] <= items["m"])]
    rest = np.minimum(items["total_amount"], items["ends_at"] - items["amount"])
    return items[["invoice_id"]].assign(
        month_from=items["m"], month_to=items["m"] + 1, open_amount=rest
    )


def open_one_by_one(bills: pd.DataFrame, payments: pd.DataFrame) -> pd.DataFrame:
    """What is open where money wanders between bills: every event in its turn."""
    issued = bills.assign(
        day=bills["issued_on"],
        place=(bills["total_amount"] <= 0).astype(int),
        event=bills["invoice_id"],
        amount=bills["total_amount"],
        m=bills["issued"],
        is_bill=True,
    )
    paid = payments.assign(
        day=payments["paid_on"],
        place=2 + (payments["amount"] < 0).astype(int),
        event=payments["payment_id"],
        is_bill=False,
    )
    columns = ["account_id", "day", "place", "event", "m", "invoice_id", "amount", "is_bill"]
    events = pd.concat([issued[columns], paid[columns]], ignore_index=True)
    events = events.sort_values(["account_id", "day", "place", "event"])
    order = bills.sort_values(["due_on", "invoice_id"])["invoice_id"]
    places = dict(zip(order, range(len(order)), strict=True))
    rows: list[tuple[str, int, int, int]] = []
    account, owed, credit, month = "", {}, 0, 0
    for event in events.itertuples():
        if event.account_id != account or event.m != month:
            until = event.m if event.account_id == account else OPEN
            rows += [(each, month, until, amount) for each, amount in owed.items()]
            month = event.m
        if event.account_id != account:
            account, owed, credit = event.account_id, {}, 0
        if event.is_bill and event.amount > 0:
            owed[event.invoice_id] = event.amount
            spare, credit = credit, 0
        elif event.amount < 0 and not event.is_bill:
            owed[event.invoice_id] = owed.get(event.invoice_id, 0) - event.amount
            spare = 0
        else:
            spare = abs(event.amount)
        if spare:
            credit += spare - settle(owed, spare, event.invoice_id, places)
    rows += [(each, month, OPEN, amount) for each, amount in owed.items()]
    return pd.DataFrame(rows, columns=["invoice_id", "month_from", "month_to", "open_amount"])


def settle(owed: dict[str, int], money_there: int, named: Any, places: dict[str, int]) -> int:
    """Put money on the bill it names, then on the oldest due; what of it was used."""
    rest = money_there
    for each in sorted(owed, key=lambda invoice: (invoice != named, places[invoice])):
        used = min(rest, owed[each])
        rest -= used
        owed[each] -= used
        if not owed[each]:
            del owed[each]
        if not rest:
            break
    return money_there - rest


def open_at_month_end(
    operator: Operator, bills: pd.DataFrame, payments: pd.DataFrame
) -> pd.DataFrame:
    """What is open of each bill at each month's end, and how long past due."""
    receivable = bills[bills["issued_on"] <= operator.closing + pd.offsets.MonthEnd(0)]
    kinds = account_kinds(receivable, payments)
    kind_of_bill, kind_of_payment = (
        frame["account_id"].map(kinds) for frame in (receivable, payments)
    )

    def those(kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        return receivable[kind_of_bill == kind], payments[kind_of_payment == kind]

    items = pd.concat(
        [
            open_apart(*those("apart")),
            open_in_order(operator, *those("in order")),
            open_one_by_one(*those("one by one")),
        ],
        ignore_index=True,
    )
    at_end = spread(items, operator.first, operator.last).merge(
        receivable[["invoice_id", "customer_id", "is_postpaid", "currency", "due_on"]],
        on="invoice_id",
    )
    at_end["outstanding"] = converted(at_end, "open_amount", operator.rates())
    days = (at_end["m"].map(operator.month_ends) - at_end["due_on"]).dt.days
    return at_end.assign(days_past_due=days.clip(lower=0))


def receivables_monthly(at_end: pd.DataFrame) -> pd.DataFrame:
    """What every customer owes at each month's end."""
    is_overdue = at_end["is_postpaid"] & (at_end["days_past_due"] > 0)
    parts = at_end[["customer_id", "m"]].assign(
        outstanding_amount=at_end["outstanding"],
        overdue_amount=at_end["outstanding"].where(is_overdue, 0),
    )
    return parts.groupby(["customer_id", "m"], sort=False).sum().reset_index()


def receivables_open(operator: Operator, at_end: pd.DataFrame) -> pd.DataFrame:
    """The bills open at the closing month, by age."""
    still = at_end[at_end["m"] == operator.last].copy()
    buckets = operator.table("aging_buckets").sort_values("from_days")
    edges = [*buckets["from_days"], OPEN]
    still["aging_bucket"] = pd.cut(
        still["days_past_due"], edges, right=False, labels=buckets["bucket"].tolist()
    ).astype(object)
    names = ["invoice_id", "customer_id", "aging_bucket", "days_past_due"]
    return still[names].assign(outstanding_reporting=still["outstanding"])


def bad_debts(operator: Operator, at_end: pd.DataFrame) -> pd.DataFrame:
    """What became bad debt in a month, less what was paid of earlier ones."""
    old = at_end["days_past_due"] > operator.parameter("bad_debt_days")
    written_off = at_end.loc[
        old & at_end["is_postpaid"], ["invoice_id", "customer_id", "currency", "m", "open_amount"]
    ]
    earlier = written_off[written_off["m"] < operator.last]
    earlier = earlier.assign(m=earlier["m"] + 1, open_amount=-earlier["open_amount"])
    keys = ["invoice_id", "customer_id", "currency", "m"]
    changes = pd.concat([written_off, earlier]).groupby(keys, sort=False)["open_amount"].sum()
    found = changes.reset_index()
    found["bad_debt"] = converted(found, "open_amount", operator.rates())
    return found.groupby(["customer_id", "m"], sort=False)["bad_debt"].sum().reset_index()


def customer_months(
    operator: Operator,
    register: Register,
    bills: pd.DataFrame,
    payments: pd.DataFrame,
    owing: pd.DataFrame,
    earned: pd.DataFrame,
) -> pd.DataFrame:
    """The months of each customer, in order, with what it was and earned."""
    own = register.held[register.held["is_held"]]
    changes = pd.concat(
        [
            own[["customer_id"]].assign(m=own["active_from"], change=1),
            own[["customer_id"]].assign(m=own["active_to"], change=-1),
        ]
    )
    changes = changes[changes["m"] < OPEN].groupby(["customer_id", "m"])["change"].sum()
    ranges = changes.reset_index().rename(columns={"m": "month_from"})
    ranges["is_active"] = running(ranges, ["customer_id"], "change") > 0
    ranges["month_to"] = ranges.groupby("customer_id")["month_from"].shift(-1).fillna(OPEN)
    after = ranges["month_from"] + operator.parameter("row_months_after_leaving") + 1
    ranges["month_to"] = ranges["month_to"].where(
        ranges["is_active"], np.minimum(ranges["month_to"], after)
    )
    starts = pd.DataFrame(
        {
            "activated": own.groupby("customer_id")["active_from"].min(),
            "billed": bills.groupby("customer_id")["m"].min(),
        }
    )
    starts["first_active"] = starts.min(axis=1)
    early = starts[~(starts["activated"] <= starts["billed"]) & starts["billed"].notna()]
    before = pd.DataFrame(
        {
            "customer_id": early.index,
            "month_from": early["billed"].to_numpy(),
            "month_to": early["activated"].fillna(OPEN).to_numpy(),
            "is_active": False,
        }
    )
    columns = ["customer_id", "month_from", "month_to", "is_active"]
    listed = spread(
        pd.concat([ranges[columns], before]).reset_index(drop=True), operator.first, operator.last
    )
    paid = held_then(payments[["account_id", "m"]].merge(register.owners, on="account_id"))
    with_money = pd.concat([frame[["customer_id", "m"]] for frame in (bills, owing, paid)])
    with_money = with_money.drop_duplicates().assign(is_active=False)
    months = pd.concat([listed, with_money])
    months = months[months["m"] >= operator.first]
    months = months.groupby(["customer_id", "m"])["is_active"].any().rename("is_ranked")
    months = months.reset_index().merge(register.customers, on="customer_id")
    versions = register.customer_versions[
        ["customer_id", "region_code", "designation", "strategic_flag", "month_from", "month_to"]
    ]
    months = held_then(months.merge(versions, on="customer_id"))
    months = months.merge(earned, on=["customer_id", "m"], how="left")
    months["revenue"] = months["revenue"].fillna(0).astype("int64")
    months = months.sort_values(["customer_id", "m"], ignore_index=True)
    start = months["customer_id"].map(starts["first_active"]).clip(lower=operator.first)
    existing = (months["m"] - start + 1).clip(1, 3).fillna(3).astype("int64")
    months["avg_revenue_3m"] = divided(window_sum(months, "revenue", 3), existing)
    return months


def tier_monthly(operator: Operator, months: pd.DataFrame) -> pd.DataFrame:
    """The tier of every customer and month, by the policy `house`."""
    bands = operator.table("tier_bands")
    bands = bands[bands["policy_id"] == "house"].sort_values("tier_rank")
    tiers = bands.drop_duplicates("tier_rank").set_index("tier_rank")["tier_code"]
    classes = operator.table("regions").set_index("region_code")["region_class"]
    ranked = months[months["is_ranked"]].copy()
    region_class = ranked["region_code"].map(classes)
    rank = pd.Series(int(tiers.index.max()), ranked.index)
    for band in bands[bands["region_class"].notna()].iloc[::-1].itertuples():
        met = ranked["avg_revenue_3m"] >= round(float(str(band.bound)) * PLACES)
        rank = rank.mask(met & (region_class == band.region_class), int(str(band.tier_rank)))
    ranked["rule"] = ranked["best"] = rank
    for back in (1, 2):
        before = ranked.groupby("customer_id", sort=False)[["m", "rule"]].shift(back)
        near = ranked["m"] - before["m"] == back
        ranked["best"] = np.minimum(ranked["best"], before["rule"].where(near, OPEN))
    ranked["rule_tier"] = ranked["rule"].map(tiers)
    ranked["tier_code"] = ranked["best"].map(tiers)
    ranked["tier_reason"] = np.where(ranked["best"] == ranked["rule"], "rule", "grace")
    given = pd.read_csv(
        operator.reference / "tier_overrides.csv", parse_dates=["valid_from", "valid_to"]
    ).sort_values("valid_from")
    ends = operator.month_ends
    for override in given.itertuples():
        inside = ends.index[(ends >= override.valid_from) & (ends < override.valid_to)]
        theirs = (ranked["customer_id"] == override.customer_id) & ranked["m"].isin(inside)
        ranked.loc[theirs, "tier_code"] = override.tier_code
        ranked.loc[theirs, "tier_reason"] = "override"
    names = ["customer_id", "m", "rule_tier", "tier_code", "tier_reason"]
    others = months.loc[~months["is_ranked"], ["customer_id", "m"]].assign(
        rule_tier="none", tier_code="none", tier_reason="inactive"
    )
    metric = ranked[names].assign(metric_value=ranked["avg_revenue_3m"])
    return pd.concat([metric, others], ignore_index=True)


def customer_products(
    operator: Operator, register: Register, revenue: pd.DataFrame, months: pd.DataFrame
) -> pd.DataFrame:
    """Revenue and cost by customer, product and month."""
    keys = ["customer_id", "product_code", "m"]
    ranges = register.held.rename(columns={"active_from": "month_from", "served_to": "month_to"})
    served = spread(
        ranges[["customer_id", "product_code", "month_from", "month_to"]],
        operator.first,
        operator.last,
    )
    used = revenue.groupby(keys, sort=False)[["revenue", "active_subscriptions"]].sum()
    used = used.join(served.groupby(keys, sort=False).size().rename("served"), how="outer")
    used = used.fillna(0).astype("int64").reset_index()
    used = used.merge(months[["customer_id", "m", "region_code"]], on=["customer_id", "m"])
    products = operator.table("products").set_index("product_code")
    margins = products["default_margin_share"]
    values = operator.table("parameters").set_index("name")["value"]
    margins["UNITEMISED"] = float(values["unitemised_margin_share"])
    costs = read_csv(
        operator.landing / "service_costs",
        (
            "cost_month",
            "product_code",
            "region_code",
            "cost_per_subscription",
            "cost_share_of_revenue",
        ),
        ("cost_month",),
        ("cost_per_subscription", "cost_share_of_revenue"),
    )
    costs["m"] = month_number(costs["cost_month"]).astype("int64")
    used = used.merge(costs, on=["product_code", "region_code", "m"], how="left")
    default = 1 - used["product_code"].map(margins)
    share = money(used["cost_share_of_revenue"].fillna(default), SHARE_PLACES)
    each = money(used["cost_per_subscription"].fillna(0))
    cost = used["served"] * each * SHARE_PLACES + used["revenue"].clip(lower=0) * share
    used["cost_to_serve"] = divided(cost, SHARE_PLACES)
    families = products["product_family"]
    used["product_family"] = used["product_code"].map(families).fillna("unitemised")
    return used


def relationship_costs(operator: Operator) -> pd.DataFrame:
    """Contacts, their share of campaigns, and compensation, by customer and month."""
    contacts = read_csv(
        operator.landing / "contacts",
        ("customer_id", "campaign_id", "contacted_at", "cost"),
        ("contacted_at",),
        ("cost",),
    )
    contacts["m"] = month_number(contacts["contacted_at"]).astype("int64")
    contacts["cost"] = money(contacts["cost"].fillna(0))
    keys = ["customer_id", "campaign_id", "m"]
    made = contacts.groupby(keys, sort=False, dropna=False)["cost"].agg(["sum", "size"])
    made = made.reset_index()
    made["of_campaign"] = made.groupby(["campaign_id", "m"])["size"].transform("sum")
    campaigns = read_csv(
        operator.landing / "campaigns",
        ("campaign_id", "starts_on", "ends_on", "fixed_cost", "updated_at"),
        ("starts_on", "ends_on", "updated_at"),
        ("fixed_cost",),
    )
    campaigns = campaigns.sort_values("updated_at").drop_duplicates("campaign_id", keep="last")
    made = made.merge(campaigns, on="campaign_id", how="left")
    starts, ends = month_number(made["starts_on"]), month_number(made["ends_on"])
    runs = (made["m"] >= starts) & (made["m"] <= ends) & made["fixed_cost"].notna()
    spent = money(made["fixed_cost"].where(runs, 0)) * made["size"]
    parts = ((ends - starts + 1) * made["of_campaign"]).where(runs, 1).astype("int64")
    made["cost"] = made["sum"] + divided(spent, parts)
    complaints = read_csv(
        operator.landing / "complaints",
        ("complaint_id", "customer_id", "opened_at", "compensation", "updated_at"),
        ("opened_at", "updated_at"),
        ("compensation",),
    )
    latest = complaints.sort_values("updated_at").drop_duplicates("complaint_id", keep="last")
    paid_out = latest[["customer_id"]].assign(
        m=month_number(latest["opened_at"]).astype("int64"),
        cost=money(latest["compensation"].fillna(0)),
    )
    costs = pd.concat([made[["customer_id", "m", "cost"]], paid_out])
    summed = costs.groupby(["customer_id", "m"], sort=False)["cost"].sum()
    return summed.rename("relationship_cost").reset_index()


def headrooms(operator: Operator, months: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """What peers who hold a family that a customer lacks bring with it."""
    peers = months.loc[
        months["is_ranked"], ["customer_id", "m", "legal_form", "peer_industry", "avg_revenue_3m"]
    ].copy()
    by_month = peers.groupby("m")["avg_revenue_3m"]
    place = by_month.rank("min").astype("int64") - 1
    groups = operator.parameter("peer_revenue_groups")
    peers["revenue_group"] = place * groups // by_month.transform("size")
    group = ["m", "legal_form", "peer_industry", "revenue_group"]
    peers["peers"] = peers.groupby(group)["m"].transform("size")
    kept = products["product_family"] != "unitemised"
    family = [*("customer_id", "m"), "product_family"]
    holdings = products[kept].assign(margin=products["revenue"] - products["cost_to_serve"])
    holdings = holdings.groupby(family, sort=False)[["margin", "active_subscriptions"]].sum()
    holdings = holdings[holdings["active_subscriptions"] > 0].reset_index()
    holdings = holdings.merge(peers, on=["customer_id", "m"])
    measured = holdings.sort_values([*group, "product_family", "margin"])
    found = measured.groupby([*group, "product_family"], sort=False)["margin"]
    number, holders = found.cumcount(), found.transform("size")
    low = measured.assign(holders=holders)[number == (holders - 1) // 2]
    high = measured[number == holders // 2]
    values = low[[*group, "product_family", "holders", "peers"]].reset_index(drop=True)
    median = divided(low["margin"].to_numpy() + high["margin"].to_numpy(), 2)
    values["headroom"] = divided(
        median * values["holders"] * operator.parameter("headroom_months"), values["peers"]
    )
    values = values[values["holders"] >= operator.parameter("peer_minimum")]
    of_group = values.groupby(group)["headroom"].agg(["size", "sum"]).reset_index()
    valued = holdings.merge(
        values[[*group, "product_family", "headroom"]], on=[*group, "product_family"], how="left"
    )
    of_customer = valued.groupby(["customer_id", "m"], sort=False)["headroom"].agg(
        ["size", "count", "sum"]
    )
    result = peers.merge(of_group, on=group, how="left")
    result = result.merge(
        of_customer.reset_index(), on=["customer_id", "m"], how="left", suffixes=("", "_held")
    ).fillna({"size": 0, "sum": 0, "size_held": 0, "count": 0, "sum_held": 0})
    families = operator.table("products")["product_family"].nunique()
    known = (result["size_held"] == families) | (result["size"] > result["count"])
    lacked = (result["sum"] - result["sum_held"]).round().astype("int64").where(known)
    return result[["customer_id", "m"]].assign(headroom_value=lacked.astype("Int64"))


def social_scores(operator: Operator, months: pd.DataFrame) -> pd.Series:
    """The points of designation, strategic flag and group, by the rows of the months."""
    points = operator.table("social_points")
    values = points["points"] * PLACES
    designations = values[points["attribute"] == "designation"]
    designations.index = points.loc[designations.index, "code"]
    strategic = int(values[points["attribute"] == "strategic"].iloc[0])
    score = months["designation"].map(designations).fillna(0)
    score += months["strategic_flag"].fillna(False).astype("int64") * strategic
    groups = months[months["is_ranked"]].groupby(["group_id", "m"])
    sizes = {
        "group_size": groups.size(),
        "regional_span": groups["region_code"].nunique(),
    }
    keys = pd.MultiIndex.from_frame(months[["group_id", "m"]])
    for attribute, size in sizes.items():
        bands = points[points["attribute"] == attribute].sort_values("lower_bound")
        edges = [-1, *bands["lower_bound"], OPEN]
        earned = [0, *bands["points"] * PLACES]
        reached = np.asarray(earned)[np.digitize(size, edges) - 1]
        score += pd.Series(reached, size.index).reindex(keys).fillna(0).to_numpy()
    most = operator.parameter("social_score_maximum") * PLACES
    return score.clip(upper=most).astype("int64")


def value_monthly(
    operator: Operator,
    months: pd.DataFrame,
    products: pd.DataFrame,
    bad: pd.DataFrame,
) -> pd.DataFrame:
    """The margin of every customer and month, and the layers of value."""
    keys = ["customer_id", "m"]
    costs = products.groupby(keys, sort=False)["cost_to_serve"].sum().reset_index()
    value = months
    for frame in (costs, relationship_costs(operator), bad):
        value = value.merge(frame, on=keys, how="left")
    parts = ["cost_to_serve", "relationship_cost", "bad_debt"]
    value[parts] = value[parts].fillna(0).astype("int64")
    value["margin"] = value["revenue"] - value[parts].sum(axis=1)
    value["current_value"] = window_sum(value, "margin", operator.parameter("current_value_months"))
    value["social_score"] = social_scores(operator, value)
    value = value.merge(headrooms(operator, months, products), on=keys, how="left")
    names = ["margin", "current_value", "headroom_value", "social_score"]
    return value[[*keys, "revenue", *parts, *names]]


def write(frame: pd.DataFrame, path: Path, amounts: Iterable[str]) -> None:
    """Write a result as Parquet, money as decimals."""
    decimals = ", ".join(
        f"cast(cast({name} as decimal(18, 0)) * 0.0001 as decimal(18, 4)) as {name}"
        for name in amounts
    )
    duckdb.sql(f"select * replace ({decimals}) from frame").write_parquet(str(path))


def compute(operator: Operator, out: Path) -> None:
    """All four groups, written to a folder as soon as each is known."""
    out.mkdir(parents=True)
    register = read_register(operator)
    bills = read_bills(operator, register)
    revenue = revenue_monthly(operator, register, bills)
    write(revenue, out / "revenue_monthly.parquet", REVENUE)
    earned = customer_revenue(revenue, bills)
    movement = revenue_movement(operator, earned)
    amounts = ("revenue_before", "revenue", "change")
    write(movement, out / "revenue_movement.parquet", amounts)
    del movement
    payments = read_payments(operator, bills)
    at_end = open_at_month_end(operator, bills, payments)
    owing = receivables_monthly(at_end)
    amounts = ("outstanding_amount", "overdue_amount")
    write(owing, out / "receivables_monthly.parquet", amounts)
    still = receivables_open(operator, at_end)
    write(still, out / "receivables_open.parquet", ("outstanding_reporting",))
    bad = bad_debts(operator, at_end)
    del at_end, still
    months = customer_months(operator, register, bills, payments, owing, earned)
    del bills, payments, owing, earned
    write(tier_monthly(operator, months), out / "tier_monthly.parquet", ("metric_value",))
    products = customer_products(operator, register, revenue, months)
    del revenue, register
    value = value_monthly(operator, months, products, bad)
    write(value, out / "value_monthly.parquet", value.columns[2:])


def main() -> None:
    """Compute."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True, help="every reference table")
    parser.add_argument("--closing-month", type=date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--memory-limit", help="taken and ignored: pandas has none")
    asked = parser.parse_args()
    compute(Operator(asked.landing, asked.reference, asked.closing_month), asked.out)


if __name__ == "__main__":
    main()
