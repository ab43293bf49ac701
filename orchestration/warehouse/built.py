"""What the warehouse was last built from, written when a build ended well."""

from __future__ import annotations

import json
from datetime import date

from orchestration.home import Home
from orchestration.ingest.changes import Built


def read_built(home: Home) -> Built | None:
    """What the warehouse stands for; none if it does not stand, or nobody knows."""
    try:
        known = json.loads(home.built.read_text())
        if not home.warehouse.exists():
            return None
        return Built(
            loads=frozenset(known["loads"]),
            shaped_by=known["shaped_by"],
            first_month=date.fromisoformat(known["first_month"]),
            closing_month=date.fromisoformat(known["closing_month"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember_built(home: Home, built: Built) -> None:
    """Write down what the warehouse was built from."""
    temporary = home.built.with_suffix(".unfinished")
    temporary.write_text(
        json.dumps(
            {
                "loads": sorted(built.loads),
                "shaped_by": built.shaped_by,
                "first_month": built.first_month.isoformat(),
                "closing_month": built.closing_month.isoformat(),
            }
        )
    )
    temporary.replace(home.built)


def forget_built(home: Home) -> None:
    """Let the next run build everything: before a build that may not end."""
    home.built.unlink(missing_ok=True)
