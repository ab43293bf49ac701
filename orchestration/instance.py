"""Dagster's instance of a home: its run history lies there, and nothing leaves it."""

from __future__ import annotations

from pathlib import Path

from orchestration.home import Home

DAGSTER_CONFIGURATION = """\
# Customer data sits on networks without an outside.
telemetry:
  enabled: false
"""


def prepare_instance(home: Home) -> Path:
    """Folder of the home's Dagster instance, configured; telemetry is off."""
    home.prepare()
    configuration = home.dagster / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(DAGSTER_CONFIGURATION)
    return home.dagster
