"""The public data sets beside the project give the figures that are known of them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.command import published, run_job

PUBLIC_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not PUBLIC_DATA.is_dir(), reason="the public data sets are not beside the project"
)


def run_public(tmp_path_factory: pytest.TempPathFactory, name: str, through: str) -> Path:
    home = tmp_path_factory.mktemp(name) / "home"
    source = PUBLIC_DATA / name
    outcome = run_job(home, source / "landing", source / "reference", through)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return home


@pytest.fixture(scope="module")
def telco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_public(tmp_path_factory, "telco", "2020-01")


@pytest.fixture(scope="module")
def receivables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_public(tmp_path_factory, "receivables", "2013-12")


def test_telco_revenue_is_the_published_total(telco: Path) -> None:
    total = published(telco, "select sum(revenue) as revenue from marts.fct_revenue_monthly")
    assert total["revenue"][0] == Decimal("21364367.35")


@pytest.mark.parametrize(
    ("month", "active", "left", "revenue", "subscriptions"),
    [
        ("2019-09-01", 6105, 0, "553652.42", 33387),
        ("2019-10-01", 5884, 458, "524358.06", 31799),
    ],
)
def test_telco_months(
    telco: Path, month: str, active: int, left: int, revenue: str, subscriptions: int
) -> None:
    row = published(
        telco,
        f"""
        select summary.customers, summary.revenue, summary.customers_left,
            summary.active_subscriptions
        from marts.region_summary_monthly as summary
        where summary.month = date '{month}' and summary.region_level = 'group'
        """,
    ).iloc[0]
    assert row["customers"] == active
    assert row["customers_left"] == left
    assert row["revenue"] == Decimal(revenue)
    assert row["active_subscriptions"] == subscriptions


def test_telco_counts_of_rows_and_prospects(telco: Path) -> None:
    counts = published(
        telco,
        """
        select
            (select count(*) from marts.fct_invoice) as invoices,
            (select sum(rows_loaded) from audit.load where feed = 'charges') as charges,
            (select count(*) from marts.dim_customer) as customers,
            (select count(*) from marts.dim_customer where relationship = 'prospect') as prospects
        """,
    ).iloc[0]
    assert counts["invoices"] == 227_990
    assert counts["charges"] == 442_006
    assert counts["customers"] == 7_043
    assert counts["prospects"] == 11


def test_telco_has_no_payments_so_nobody_owes(telco: Path) -> None:
    row = published(
        telco,
        """
        select count(outstanding_amount) as outstanding, count(paid_amount) as paid,
            count(overdue_amount) as overdue, count(complaints_12m) as complaints,
            count(distinct credit_grade) as grades, min(credit_grade) as grade
        from marts.customer_monthly
        """,
    ).iloc[0]
    measured = [int(row[name]) for name in ("outstanding", "paid", "overdue", "complaints")]
    assert measured == [0, 0, 0, 0]
    assert (row["grades"], row["grade"]) == (1, "unknown")


def test_receivables_open_and_past_due(receivables: Path) -> None:
    row = published(
        receivables,
        """
        select sum(outstanding_amount) as outstanding, sum(overdue_amount) as overdue
        from marts.customer_monthly where month = date '2013-06-01'
        """,
    ).iloc[0]
    assert row["outstanding"] == Decimal("5119.85")
    assert row["overdue"] == Decimal("835.56")


def test_receivables_open_invoices_by_the_settlement_dates(receivables: Path) -> None:
    row = published(
        receivables,
        """
        select count(*) as invoices from marts.fct_invoice
        where billing_month <= date '2013-06-01'
            and (settled_on is null or settled_on > date '2013-06-30')
        """,
    ).iloc[0]
    assert row["invoices"] == 84


def test_receivables_customers_who_went_quiet(receivables: Path) -> None:
    """15 companies have no bill from October to December; 92 have none in December alone."""
    row = published(
        receivables,
        """
        select
            count(*) filter (where billed_amount = 0) as unbilled,
            count(*) filter (where relationship = 'dormant') as dormant
        from marts.customer_monthly where month = date '2013-12-01'
        """,
    ).iloc[0]
    assert (row["unbilled"], row["dormant"]) == (92, 15)


def test_receivables_default_closing_month(tmp_path: Path) -> None:
    source = PUBLIC_DATA / "receivables"
    outcome = run_job(tmp_path / "home", source / "landing", source / "reference")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "2013-12" in outcome.stdout, "the month left out as incomplete is reported"
    closing = published(
        tmp_path / "home", "select max(month) as month from marts.dim_month where is_closed"
    )
    assert f"{closing['month'][0]:%Y-%m}" == "2013-11"


@pytest.mark.parametrize("name", ["telco", "receivables"])
def test_every_control_passed(name: str, request: pytest.FixtureRequest) -> None:
    controls = published(
        request.getfixturevalue(name), "select control, passed from audit.reconciliation"
    )
    assert set(controls["control"]) >= {"revenue_delivered", "revenue_by_region", "rows_loaded"}
    assert controls["passed"].all()


def test_telco_departures_are_foretold_and_by_nothing_that_knows_them(telco: Path) -> None:
    """Of months the tested fit never saw: far above the base rate, far below certainty."""
    (model,) = published(telco, "select * from marts.churn_model").to_dict("records")
    assert model["model"] == "logistic_regression"
    assert model["test_rows"] == 17_857
    assert model["test_events"] == 3_097
    assert 0.75 < model["auc_unseen_customers"] < 0.9
    assert 0.75 < model["auc"] < 0.9
    assert model["average_precision"] > 2 * model["base_rate"]
    assert model["top_decile_lift"] > 2


def test_receivables_have_no_departures_to_learn_from(receivables: Path) -> None:
    (model,) = published(receivables, "select * from marts.churn_model").to_dict("records")
    assert model["model"] == "prior_scorecard"
    assert model["train_events"] == 0
    rows = published(
        receivables, "select distinct model, left_within_3m from marts.customer_risk_monthly"
    )
    assert set(rows["model"]) == {"prior_scorecard"}
    assert not rows["left_within_3m"].fillna(value=False).any()
