"""A home with a history worth auditing, and ways to tamper with it."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.audit.chain import Link, read_chain
from orchestration.audit.store import HomeStore
from orchestration.home import Home
from tests.support.command import run_job, tierwise
from tests.support.landing import invoice, month_at, write_feed, write_month, write_small_operator

CHECK = "raw_invoices.currency_is_the_accounts"
ANSWER = ("Chen Jing", "billed in USD by agreement 17/2025")


@dataclass(frozen=True)
class Audited:
    """Five runs: published, blocked, published with an acceptance, blocked, published.

    Between the first and the third February is restated, by a file whose control totals are
    declared; the third holds a bill in USD
    that its account does not allow; for the fifth it is delivered again in CNY.
    `first_pack` was made before the second run; `words` are what the runs printed.
    """

    home: Home
    run_ids: list[str]
    first_pack: Path
    words: list[str]

    def link(self, number: int) -> Link:
        """A run by its number, from 1."""
        chain = read_chain(HomeStore(self.home.root))
        return next(link for link in chain if link.run_id == self.run_ids[number - 1])

    def manifest(self, number: int) -> dict[str, Any]:
        """The manifest of a run by its number, from 1."""
        manifest = self.link(number).manifest
        assert manifest is not None
        return manifest


def write_history(folder: Path) -> Audited:
    """Run the small operator five times."""
    home = Home(folder / "home")
    landing, reference = write_small_operator(folder, months=2)
    outcomes = [run_job(home.root, landing, reference)]
    pack = folder / "first.zip"
    assert tierwise("audit", "pack", "last", "--out", pack, "--home", home.root).returncode == 0

    _deliver_correction(landing)
    foreign = invoice("C1", month_at(2), "99.00", invoice_id="I-USD", currency="USD")
    write_feed(landing, "invoices", "usd.csv", [foreign])
    write_feed(landing, "charges", "usd.csv", [_charge("I-USD", "99.00")])
    outcomes.append(run_job(home.root, landing, reference))
    by, reason = ANSWER
    outcomes.append(
        tierwise(
            *("run", "--home", home.root, "--landing", landing, "--reference", reference),
            *("--accept", CHECK, "--accept", "raw_invoices.no_such_check"),
            *("--by", by, "--reason", reason),
        )
    )
    outcomes.append(run_job(home.root, landing, reference))
    write_feed(landing, "invoices", "usd.csv", [{**foreign, "currency": "CNY"}])
    outcomes.append(run_job(home.root, landing, reference))

    told = "\n".join(outcome.stdout + outcome.stderr for outcome in outcomes)
    assert [outcome.returncode for outcome in outcomes] == [0, 1, 0, 1, 0], told
    return Audited(
        home,
        [link.run_id for link in read_chain(HomeStore(home.root))],
        pack,
        [outcome.stdout + outcome.stderr for outcome in outcomes],
    )


def _deliver_correction(landing: Path) -> None:
    """March, and C1's bill of February once more: 700.00 where 120.00 was."""
    february = month_at(1)
    write_month(landing, month_at(2))
    write_feed(landing, "invoices", "corrections.csv", [invoice("C1", february, "700.00")])
    totals = {"rows": 1, "sums": {"total_amount": "700.00"}}
    control = {"files": {"corrections.csv": totals}}
    (landing / "invoices" / "_control.json").write_text(json.dumps(control))
    bill = f"I-C1-{february:%Y%m}"
    write_feed(landing, "charges", "corrections.csv", [_charge(bill, "700.00")])


def _charge(invoice_id: str, amount: str) -> dict[str, str]:
    return {
        "charge_id": f"H-{invoice_id}",
        "invoice_id": invoice_id,
        "subscription_id": "S-C1",
        "product_code": "MOBILE",
        "charge_type": "recurring",
        "amount": amount,
    }


def copy_of(audited: Audited, folder: Path) -> Home:
    """The evidence, lake and publications of the home, to tamper with."""
    copy = Home(folder / "home")
    for name in ("audit", "lake", "published"):
        shutil.copytree(audited.home.root / name, copy.root / name, symlinks=True)
    return copy


def rewrite_parquet(path: Path, change: str) -> None:
    """Replace a Parquet file by what `change` selects from its `rows`."""
    with duckdb.connect() as connection:
        connection.execute(f"create table rows as from read_parquet('{path}')")
        connection.execute(f"copy ({change}) to '{path}' (format parquet)")


@contextmanager
def json_at(path: Path) -> Iterator[Any]:
    """The content of a JSON file, written back when changed."""
    content = json.loads(path.read_text())
    yield content
    path.write_text(json.dumps(content, indent=1, sort_keys=True))


def repack(pack: Path, out: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A pack whose entries went through `change`; None leaves an entry out."""
    with zipfile.ZipFile(pack) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
    return out
