"""What a pack holds for people, made from the manifest alone and so never in doubt."""

from __future__ import annotations

from typing import Any

from expectations.docs.pages import RunEntry, SuiteLink, index_page
from orchestration.audit.told import DATA_DOCS, run_page_of, suite_pages
from orchestration.publish.publication import MANIFEST

_README = """\
Evidence of run {run_id} ({status}), Tierwise {code}

{manifest}
    what came in (file, SHA-256, rows), settings and rule tables by hash, what was checked,
    what failed and who answered for it, reconciliations, what was published by content
    hash, and every earlier run by the hash of its manifest
audit/data_docs/runs/{run_id}.html
    the run on one page: what came in, what failed and what it cost, what went out
audit/data_docs/index.html
    the validation report; opens without a network
audit/validation/, audit/great_expectations/
    the results of every check
audit/reference_sets/{policy}/
    the rule tables in force
lake/ledger/
    the load ledger: every file any run saw
audit/evidence/{run_id}/dbt/
    what dbt built, and from which statements
audit/publication_log/
    publications rolled back to or let go before the run
audit/runs/{run_id}.parquet
    the row of the ledger of runs

Has anything been changed?      tierwise audit verify PACK.zip
"""


def derived_files(manifest: dict[str, Any]) -> dict[str, bytes]:
    """The files of a pack that follow from its manifest, by path."""
    run = manifest["run"]
    readme = _README.format(
        run_id=run["run_id"],
        status=run["status"],
        code=manifest["code"]["version"],
        policy=manifest["configuration"]["policy_sha256"] or "(none)",
        manifest=f"audit/evidence/{run['run_id']}/{MANIFEST}",
    )
    return {
        "README.txt": readme.encode(),
        f"{DATA_DOCS}/index.html": index_page([_run_entry(manifest)]).encode(),
    }


def _run_entry(manifest: dict[str, Any]) -> RunEntry:
    pages = suite_pages(manifest)
    own = run_page_of(manifest)
    return RunEntry(
        run=manifest["run"]["run_id"],
        checked_at=f"{manifest['run']['started_at'][:16].replace('T', ' ')} UTC",
        suites=[
            SuiteLink(
                suite=line["suite"],
                address=pages[line["suite"]].removeprefix(f"{DATA_DOCS}/"),
                checks=line["checked"],
                failures=line["failed"],
            )
            for line in manifest["validation"]
            if line["suite"] in pages
        ],
        address=own.removeprefix(f"{DATA_DOCS}/") if own else None,
    )
