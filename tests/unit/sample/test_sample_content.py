"""The bundled sample is complete, consistent, and concentrated as in the field."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.unit.sample.conftest import REPOSITORY, SAMPLE

COUNTED = "category in ('normal', 'interim', 'last', 'credit_note')"
REVENUE = """
    select
        accounts.customer_id,
        invoices.billing_month as month,
        sum(charges.amount * case invoices.currency
            when 'HKD' then 0.92 when 'USD' then 7.18 else 1 end) as revenue
    from charges
    inner join invoices using (invoice_id)
    inner join (
        select account_id, arg_max(customer_id, updated_at) as customer_id
        from accounts
        group by account_id
    ) as accounts using (account_id)
    where category in ('normal', 'interim', 'last', 'credit_note')
        and charge_type not in ('penalty', 'third_party')
    group by all
"""


def value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_every_feed_is_there_in_three_formats(feeds: dict[str, Any]) -> None:
    folders = {path.name for path in (SAMPLE / "landing").iterdir()}
    assert folders == set(feeds)
    names = [path.name for path in (SAMPLE / "landing").rglob("*.*")]
    for suffix in (".csv", ".csv.gz", ".parquet"):
        assert any(name.endswith(suffix) for name in names)


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*")) <= 8 * 1024 * 1024


def test_columns_are_the_contracts(feeds: dict[str, Any], bundled: Any) -> None:
    for feed, contract in feeds.items():
        path = sorted((SAMPLE / "landing" / feed).iterdir())[0]
        names = bundled.sql(f"select * from '{path}' limit 0").columns
        assert names == list(contract["columns"])


def test_no_row_would_be_quarantined(feeds: dict[str, Any], bundled: Any) -> None:
    for feed, contract in feeds.items():
        for name, column in contract["columns"].items():
            faults = ["false"]
            if column.get("required"):
                faults.append(f"{name} is null")
            if "min" in column:
                faults.append(f"{name} < {column['min']}")
            if "max" in column:
                faults.append(f"{name} > {column['max']}")
            if "enum" in column:
                codes = ", ".join(f"'{code}'" for code in column["enum"])
                faults.append(f"{name} not in ({codes})")
            query = f"select count(*) from {feed} where {' or '.join(faults)}"
            assert value(bundled, query) == 0, f"{feed}.{name}"


def test_every_code_occurs(feeds: dict[str, Any], bundled: Any) -> None:
    for feed, contract in feeds.items():
        for name, column in contract["columns"].items():
            if "enum" in column:
                rows = bundled.execute(f"select distinct {name} from {feed}").fetchall()
                assert set(column["enum"]) <= {row[0] for row in rows}, f"{feed}.{name}"


def test_keys_are_unique(feeds: dict[str, Any], bundled: Any) -> None:
    for feed, contract in feeds.items():
        key = [
            *contract["key"],
            *([contract["versioned_by"]] if "versioned_by" in contract else []),
        ]
        query = f"select count(*) - count(distinct ({', '.join(key)})) from {feed}"
        assert value(bundled, query) == 0, feed


def test_every_reference_resolves(feeds: dict[str, Any], bundled: Any) -> None:
    for name in ("regions", "products"):
        path = REPOSITORY / "seeds" / "reference" / f"{name}.csv"
        bundled.execute(f"create or replace temp table {name} as select * from '{path}'")
    checked = 0
    for feed, contract in feeds.items():
        for name, column in contract["columns"].items():
            if "references" in column:
                parent, key = column["references"].split(".")
                query = (
                    f"select count(*) from {feed} where {name} not in (select {key} from {parent})"
                )
                assert value(bundled, query) == 0, f"{feed}.{name}"
                checked += 1
    assert checked > 20


def test_customers_belong_to_local_networks(bundled: Any) -> None:
    path = REPOSITORY / "seeds" / "reference" / "regions.csv"
    query = (
        "select count(*) from customers where region_code not in "
        f"(select region_code from '{path}' where region_level = 'local')"
    )
    assert value(bundled, query) == 0


def test_an_invoice_is_in_the_currency_of_its_account(bundled: Any) -> None:
    query = (
        "select count(*) from invoices inner join accounts using (account_id) "
        "where invoices.currency <> accounts.currency"
    )
    assert value(bundled, query) == 0
    assert value(bundled, "select count(distinct currency) from accounts") >= 2


@pytest.mark.parametrize(
    ("feed", "begins", "ends"),
    [
        ("accounts", "opened_on", "closed_on"),
        ("contracts", "starts_on", "ends_on"),
        ("subscriptions", "activated_on", "deactivated_on"),
    ],
)
def test_nothing_ends_before_it_begins(bundled: Any, feed: str, begins: str, ends: str) -> None:
    assert value(bundled, f"select count(*) from {feed} where {ends} >= {begins}") > 0
    assert value(bundled, f"select count(*) from {feed} where {ends} < {begins}") == 0


def test_charges_and_tax_add_up_to_the_total(bundled: Any) -> None:
    query = """
        select count(*)
        from (
            select any_value(total_amount - tax_amount) - sum(amount) as difference
            from invoices
            inner join charges using (invoice_id)
            group by invoice_id
        )
        where difference <> 0
    """
    assert value(bundled, query) == 0


def test_a_little_revenue_is_not_itemised(bundled: Any) -> None:
    query = f"""
        select
            billing_month,
            coalesce(sum(total_amount - tax_amount) filter (
                where invoice_id not in (select invoice_id from charges)
            ), 0) / sum(total_amount - tax_amount) as share
        from invoices
        where {COUNTED}
        group by billing_month
    """
    shares = [float(share) for _, share in bundled.execute(query).fetchall()]
    assert max(shares) < 0.005
    assert sum(share > 0 for share in shares) > 10


def test_a_fifth_of_the_customers_bring_most_of_the_revenue(bundled: Any) -> None:
    rows = bundled.execute(f"""
        with ranked as (
            select
                month,
                revenue,
                row_number() over (partition by month order by revenue desc) as position,
                count(*) over (partition by month) as customers
            from ({REVENUE})
            where revenue > 0
        )

        select
            month,
            sum(revenue) filter (where position <= ceil(0.2 * customers)) / sum(revenue) as share
        from ranked
        group by month
    """).fetchall()
    assert len(rows) == 18
    assert all(0.75 <= float(share) <= 0.85 for _, share in rows)


def test_about_one_customer_in_eighty_leaves_each_month(bundled: Any) -> None:
    bundled.execute("""
        create or replace temp table held as
        select accounts.customer_id, latest.activated_on, latest.deactivated_on
        from (
            select
                subscription_id,
                arg_max(account_id, updated_at) as account_id,
                arg_max(activated_on, updated_at) as activated_on,
                max(deactivated_on) as deactivated_on
            from subscriptions
            group by subscription_id
        ) as latest
        inner join (
            select account_id, arg_min(customer_id, updated_at) as customer_id
            from accounts
            group by account_id
        ) as accounts using (account_id)
    """)
    share = value(
        bundled,
        """
        with ends as (
            select last_day(date '2025-01-01' + to_months(cast(number as integer))) as day
            from range(0, 18) as numbers(number)
        ),

        active as (
            select distinct ends.day, held.customer_id
            from ends
            inner join held
                on held.activated_on <= ends.day
                and (held.deactivated_on is null or held.deactivated_on > ends.day)
        )

        select 1 - count(following.customer_id) / count(*)
        from active
        left join active as following
            on active.customer_id = following.customer_id
            and following.day = last_day(active.day + 1)
        where active.day < date '2026-06-30'
        """,
    )
    assert 0.010 <= share <= 0.015


def test_the_house_tiers_are_populated(bundled: Any) -> None:
    query = (
        f"select sum(revenue) / 3 from ({REVENUE}) where month >= '2026-04-01' group by customer_id"
    )
    means = [float(row[0]) for row in bundled.execute(query).fetchall()]
    for low, high in ((20000, 10**9), (10000, 20000), (5000, 10000), (1000, 5000), (0, 1000)):
        assert sum(low <= mean < high for mean in means) >= 2


OCCURRENCES = [
    (
        "prospects",
        "select count(*) from customers "
        "where customer_id not in (select customer_id from accounts)",
    ),
    ("groups", "select count(distinct parent_customer_id) from customers"),
    (
        "groups over several networks",
        "select count(*) from (select parent_customer_id from customers "
        "group by all having count(distinct region_code) > 1)",
    ),
    (
        "chains of three",
        "select count(*) from customers inner join customers as parents "
        "on customers.parent_customer_id = parents.customer_id "
        "where parents.parent_customer_id is not null",
    ),
    ("port-outs with a competitor", "select count(*) from customers where competitor is not null"),
    (
        "returned customers",
        "select count(*) from subscriptions where subscription_id like 'S%900'",
    ),
    ("payments on account", "select count(*) from payments where invoice_id is null"),
    (
        "bounced payments",
        "select count(*) from payments where amount < 0 and invoice_id is not null",
    ),
    (
        "partial payments",
        "select count(*) from invoices inner join payments using (invoice_id) "
        "where amount > 0 and amount < 0.95 * total_amount",
    ),
    (
        "overpayments",
        "select count(*) from invoices inner join payments using (invoice_id) "
        "where amount > total_amount",
    ),
    (
        "late payments of over 90 days",
        "select count(*) from invoices inner join payments using (invoice_id) "
        "where paid_on > due_on + 90",
    ),
    (
        "reopened complaints",
        "select count(distinct complaint_id) from complaints where reopened_count > 0",
    ),
    ("mediated complaints", "select count(distinct complaint_id) from complaints where mediated"),
    (
        "complaints handed on",
        "select count(distinct complaint_id) from complaints where owner_changes > 0",
    ),
    ("expired contracts", "select count(*) from contracts where ends_on < '2026-06-30'"),
    (
        "renewed contracts",
        "select count(*) from contracts inner join contracts as later using (customer_id) "
        "where later.starts_on between contracts.ends_on - 60 and contracts.ends_on + 60",
    ),
    (
        "discounts over their limit",
        "select count(*) from contracts where discount_rate > discount_limit",
    ),
    (
        "manager changes",
        "select count(*) from (select customer_id from customers "
        "group by all having count(distinct manager_id) > 1)",
    ),
    (
        "moves",
        "select count(*) from (select customer_id from customers "
        "group by all having count(distinct region_code) > 1)",
    ),
    (
        "plan changes",
        "select count(*) from (select subscription_id from subscriptions "
        "group by all having count(distinct plan_code) > 1)",
    ),
    (
        "accounts that change hands",
        "select count(*) from (select account_id from accounts "
        "group by all having count(distinct customer_id) > 1)",
    ),
    (
        "subscriptions without use",
        "select count(*) from usage where voice_minutes + data_mb + sms_count = 0",
    ),
]


@pytest.mark.parametrize(("what", "query"), OCCURRENCES, ids=[what for what, _ in OCCURRENCES])
def test_the_sample_has(bundled: Any, what: str, query: str) -> None:
    assert value(bundled, query) >= 1, what


def test_nothing_happens_after_the_last_month(feeds: dict[str, Any], bundled: Any) -> None:
    for feed, column in (
        ("customers", "updated_at"),
        ("subscriptions", "updated_at"),
        ("complaints", "updated_at"),
        ("contacts", "contacted_at"),
        ("invoices", "issued_on"),
        ("payments", "paid_on"),
    ):
        latest = value(bundled, f"select cast(max({column}) as date) from {feed}")
        assert f"{latest}" <= "2026-06-30", feed


def test_half_of_a_campaigns_target_is_its_control_group(bundled: Any) -> None:
    query = """
        select count(distinct contacts.campaign_id)
        from contacts
        inner join campaigns using (campaign_id)
        where purpose = 'campaign' and cast(contacted_at as date) >= starts_on
    """
    assert value(bundled, query) == value(
        bundled, "select count(distinct campaign_id) from campaigns"
    )


def test_personal_data_is_nobodys(bundled: Any) -> None:
    """No number, address or id that could belong to a person."""
    query = """
        select count(*)
        from customers
        where contact_email not like '%@example.com'
            or contact_phone not like '100%'
            or address not like '% Example Road, %'
            or registration_number not similar to '(000000[0-9]+Y|91000000MA[0-9]+X)'
    """
    assert value(bundled, query) == 0


def test_an_upsell_campaign_raises_what_the_treated_use(bundled: Any) -> None:
    """Use billed in the three months after against the three before, by treatment."""
    rows = bundled.execute("""
        with treated as (
            select distinct customer_id
            from contacts
            where campaign_id = 'CAMP0011'
        ),

        billed as (
            select
                accounts.customer_id,
                invoices.billing_month > date '2025-12-01' as is_after,
                sum(charges.amount) as amount
            from charges
            inner join invoices using (invoice_id)
            inner join (select distinct account_id, customer_id from accounts) as accounts
                using (account_id)
            where
                charges.charge_type = 'usage'
                and charges.product_code in ('MOB_4G', 'MOB_5G')
                and invoices.billing_month between '2025-09-01' and '2026-03-01'
                and invoices.billing_month <> '2025-12-01'
            group by all
        )

        select
            treated.customer_id is not null as is_treated,
            sum(amount) filter (where is_after) / sum(amount) filter (where not is_after)
        from billed
        left join treated using (customer_id)
        group by is_treated
        order by is_treated
    """).fetchall()
    untreated_growth, treated_growth = (float(growth) for _, growth in rows)
    assert 1.05 < treated_growth / untreated_growth < 1.5
