"""What a manifest says, in the order in which people are told it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from expectations.docs.pages import run_address

DATA_DOCS = "audit/data_docs"
# Controls that count rows; so does every declared number of rows.
_OF_ROWS = ("rows_", "customers_", "invoices_", "complaints_")
SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class FeedInput:
    """What counts of one feed: its files, those of them that are new, and their rows."""

    feed: str
    files: int
    new: int
    rows_in_file: int
    rows_loaded: int
    rows_quarantined: int
    rows_duplicate: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """All counts, in the order of the fields."""
        counts: tuple[int, ...] = astuple(self)[1:]
        return counts


def counting_inputs(manifest: Mapping[str, Any]) -> list[FeedInput]:
    """The files that count, by feed."""
    run_id = manifest["run"]["run_id"]
    counting = [entry for entry in manifest["inputs"] if entry["delivery_rank"] is not None]
    found = []
    for feed in dict.fromkeys(entry["feed"] for entry in counting):
        own = [entry for entry in counting if entry["feed"] == feed]
        found.append(
            FeedInput(
                feed,
                len(own),
                sum(entry["loaded_by"] == run_id for entry in own),
                *(
                    sum(entry[name] for entry in own)
                    for name in (
                        "rows_in_file",
                        "rows_loaded",
                        "rows_quarantined",
                        "rows_duplicate",
                    )
                ),
            )
        )
    return found


def refused_inputs(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files that this run refused."""
    return [entry for entry in manifest["inputs"] if entry["status"] == "rejected"]


def gravest_failures(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The failures by severity, then by the revenue affected, then by name."""
    return sorted(
        manifest["failures"],
        key=lambda each: (
            SEVERITIES.index(each["severity"]),
            -Decimal(each["affected_revenue"] or 0),
            each["expectation_id"],
        ),
    )


def failed_counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many checks failed, by severity."""
    counts = Counter(failure["severity"] for failure in manifest["failures"])
    return {severity: counts[severity] for severity in SEVERITIES}


def checked_count(manifest: Mapping[str, Any]) -> int:
    """How many checks were made."""
    return sum(line["checked"] for line in manifest["validation"])


def moves_between_tiers(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who changed tier in the closing month, the most customers first."""
    moves = [move for move in manifest["tiers_moved"] if move["tier_from"] != move["tier_to"]]
    return sorted(moves, key=lambda move: (-move["customers"], move["tier_from"], move["tier_to"]))


def month_of(manifest: Mapping[str, Any], name: str = "closing_month") -> str:
    """A month of the run as YYYY-MM; empty if the run ended before it was known."""
    month = manifest["run"][name]
    return str(month)[:7] if month else ""


def suite_pages(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The page of each suite in the validation report, below the home."""
    start = f"{DATA_DOCS}/validations/"
    return {
        entry["path"].removeprefix(start).split("/")[0]: entry["path"]
        for entry in manifest["evidence"]
        if entry["path"].startswith(start)
    }


def run_page_of(manifest: Mapping[str, Any]) -> str | None:
    """The run's own page, below the home; None for a run of before there were any."""
    path = f"{DATA_DOCS}/{run_address(manifest['run']['run_id'])}"
    return path if any(entry["path"] == path for entry in manifest["evidence"]) else None


def told_total(control: str, value: str) -> str:
    """A total of a reconciliation: of rows without decimals, of money with them."""
    is_of_rows = control.startswith(_OF_ROWS) or control.endswith("_rows")
    return f"{Decimal(value):,.0f}" if is_of_rows else told_money(value)


def told_money(value: str | None) -> str:
    """An amount with the decimals it needs, two at least; nothing for none."""
    if value is None:
        return ""
    amount = Decimal(value)
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount:,.4f}"
