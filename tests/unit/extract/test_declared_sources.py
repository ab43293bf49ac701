"""What tierwise.toml may declare of databases, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.extract.config import declared_sources
from orchestration.settings import load_settings

SOUND = """
[extract.billing]
dsn_variable = "BILLING_DSN"
timezone = "UTC"

[extract.billing.feeds.invoices]
table = "billing.invoice"
cursor = "updated_at"
columns = { invoice_id = "bill_no" }

[extract.crm]
dsn_variable = "CRM_DSN"

[extract.crm.feeds.customers]
query = "select * from customer"
cursor = "changed"
"""


def declare(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tierwise.toml").write_text(text)


def test_sources_stand_beside_the_other_settings(tmp_path: Path) -> None:
    declare(tmp_path / "home", 'timezone = "Europe/Vienna"\n' + SOUND)
    settings = load_settings(tmp_path / "home")
    assert settings.timezone == "Europe/Vienna"
    sources = declared_sources(settings)
    assert list(sources) == ["billing", "crm"]
    assert sources["billing"].timezone == "UTC"
    assert sources["billing"].feeds["invoices"].columns == {"invoice_id": "bill_no"}
    assert sources["crm"].feeds["customers"].table is None


def test_without_a_file_in_the_home_the_one_beside_the_landing_folder_counts(
    tmp_path: Path,
) -> None:
    declare(tmp_path, SOUND)
    settings = load_settings(tmp_path / "home", landing=tmp_path / "landing")
    assert list(declared_sources(settings)) == ["billing", "crm"]
    declare(tmp_path / "home", "")
    assert declared_sources(settings) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("BILLING_DSN", "postgresql://me:geheim@host/db"), "dsn_variable: wants the name of"),
        (('table = "billing.invoice"', ""), "feeds.invoices: wants either table or query"),
        (('cursor = "updated_at"', ""), "feeds.invoices.cursor: Field required"),
        (("invoice_id =", "bill ="), "invoices.columns: bill is no column of the feed. Columns"),
        (("feeds.invoices", "feeds.bills"), "feeds: bills is no feed. Feeds are: customers,"),
        (('timezone = "UTC"', 'timezone = "Mars"'), "timezone: is no time zone"),
        (('timezone = "UTC"', 'password = "geheim"'), "password: Extra inputs are not permitted"),
        (("extract.billing", "extract.'../up'"), "a source's name goes into the names of files"),
    ],
)
def test_a_mistake_is_named_without_its_value(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    declare(tmp_path / "home", SOUND.replace(*change))
    settings = load_settings(tmp_path / "home")
    with pytest.raises(ConfigurationError) as refused:
        declared_sources(settings)
    assert f"{tmp_path / 'home' / 'tierwise.toml'}: [extract." in str(refused.value)
    assert said in str(refused.value)
    assert "geheim" not in str(refused.value)
    assert "\n" not in str(refused.value)
