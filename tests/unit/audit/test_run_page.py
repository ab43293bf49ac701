"""The page of a run, from what its manifest says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestration.audit.run_page import run_page
from orchestration.audit.told import told_total

RUN = "20260701T080000Z-1"
WHALE = "raw_invoices.usual_bill_has_arrived"
CENTS = "raw_invoices.tax_is_part_of_total"


def failure(check: str, severity: str, revenue: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "suite": check.split(".")[0],
        "expectation_id": check,
        "expectation": f"What {check} asks.",
        "severity": severity,
        "affected_customers": 1,
        "affected_revenue": revenue,
        "affected_tiers": None,
        "observed": "1 failing",
        "owner": "billing team",
        "rule": "rulebook 3",
        "accepted_by": None,
        "accepted_reason": None,
        **changes,
    }


def manifest(status: str = "published", **changes: Any) -> dict[str, Any]:
    return {
        "run": {
            "run_id": RUN,
            "status": status,
            "started_at": "2026-07-01T08:00:00+00:00",
            "finished_at": "2026-07-01T08:01:00+00:00",
            "closing_month": "2026-06-01",
            "first_month": "2025-01-01",
        },
        "code": {"version": "1"},
        "configuration": {
            "reporting_currency": "CNY",
            "timezone": "Asia/Shanghai",
            "tier_policy": "house",
            "config_sha256": "c" * 64,
            "policy_sha256": "p" * 64,
        },
        "inputs": [],
        "validation": [],
        "failures": [],
        "acceptances": [],
        "reconciliation": [],
        "tiers_moved": [],
        "outputs": [],
        "files": [],
        "evidence": [],
        "previous_run_id": None,
        "previous_manifest_sha256": None,
        **changes,
    }


def table_input(file_name: str, status: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "feed": "invoices",
        "file_name": file_name,
        "file_sha256": "f" * 64,
        "status": status,
        "reason": reason,
        "loaded_by": RUN,
        "delivery_rank": 1 if status == "loaded" else None,
        "rows_in_file": 10,
        "rows_loaded": 9,
        "rows_quarantined": 1,
        "rows_duplicate": 0,
    }


def test_money_decides_what_is_read_first() -> None:
    """One account of a whale stands above ten thousand of a cent; what stops, above both."""
    page = run_page(
        manifest(
            failures=[
                failure(CENTS, "warning", "1200.0000", affected_customers=10_000),
                failure(WHALE, "warning", "240000.0000", affected_tiers="diamond 1"),
                failure("raw_customers.gender_is_known", "critical", "1.0000"),
            ]
        )
    )
    places = [page.index(f"What {check}") for check in ("raw_customers.gender", WHALE, CENTS)]
    assert places == sorted(places)
    assert "240,000.00" in page and "diamond 1" in page and ">10,000<" in page


@pytest.mark.parametrize(
    ("status", "changes", "words"),
    [
        ("published", {}, "Nothing is amiss."),
        ("published", {"failures": [failure(CENTS, "warning", None)]}, "Read the warnings below."),
        (
            "published",
            {
                "failures": [
                    failure(CENTS, "critical", None, accepted_by="Chen", accepted_reason="agreed")
                ]
            },
            "Critical failures that a person answers for: 1.",
        ),
        (
            "blocked",
            {"failures": [failure(CENTS, "critical", None)]},
            f"Critical checks failed that nobody answers for: {CENTS}.",
        ),
        (
            "blocked",
            {"inputs": [table_input("a.csv", "rejected", "no header")]},
            "Refused: invoices/a.csv.",
        ),
        ("failed", {}, "The run ended before its data was accepted"),
    ],
)
def test_the_outcome_comes_first(status: str, changes: dict[str, Any], words: str) -> None:
    page = run_page(manifest(status, **changes))
    verdict = re.search(r'<div class="verdict \w+">(.*?)</div>', page)
    assert verdict and words in verdict[1]


def test_rows_and_amounts_are_told_with_thousands_and_cents() -> None:
    page = run_page(
        manifest(
            inputs=[table_input("2026-06.csv", "loaded")],
            reconciliation=[
                {
                    "control": "revenue_delivered",
                    "source_total": "1234567.8901",
                    "warehouse_total": "1234567.8900",
                    "difference": "0.0001",
                    "tolerance": "0.0000",
                    "passed": False,
                },
                {
                    "control": "rows_loaded",
                    "source_total": "1234567.0000",
                    "warehouse_total": "1234567.0000",
                    "difference": "0.0000",
                    "tolerance": "0.0000",
                    "passed": True,
                },
            ],
        )
    )
    for words in (
        "1,234,567.8901",
        "1,234,567.89<",
        "0.0001",
        ">differs<",
        "1 of 2",
        ">1,234,567<",
    ):
        assert words in page
    assert "f" * 64 in page


def test_names_of_files_are_text_and_nothing_runs() -> None:
    name = '<script>alert("x")</script>.csv'
    page = run_page(manifest(inputs=[table_input(name, "rejected", "<b>no</b>")]))
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "://" not in page


@pytest.mark.parametrize(
    ("control", "value", "told"),
    [
        ("rows_loaded", "2566.0000", "2,566"),
        ("control_totals_invoices_rows", "12.0000", "12"),
        ("control_totals_invoices_total_amount", "12.0000", "12.00"),
        ("revenue_delivered", "1000.0001", "1,000.0001"),
        ("revenue_delivered", "-0.5000", "-0.50"),
    ],
)
def test_a_total_is_told_with_the_decimals_it_needs(control: str, value: str, told: str) -> None:
    assert told_total(control, value) == told
