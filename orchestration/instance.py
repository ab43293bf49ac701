"""Dagster's instance of a home: its run history lies there, and nothing leaves it."""

from __future__ import annotations

import json
from pathlib import Path

from orchestration.home import Home

DAGSTER_CONFIGURATION = """\
# Customer data sits on networks without an outside.
telemetry:
  enabled: false

event_log_storage:
  module: orchestration.event_log
  class: PooledSqliteEventLogStorage
  config:
    base_dir: {event_logs}
"""


def prepare_instance(home: Home) -> Path:
    """Folder of the home's Dagster instance, configured; telemetry is off."""
    home.prepare()
    configuration = home.dagster / "dagster.yaml"
    written = DAGSTER_CONFIGURATION.format(
        event_logs=json.dumps(str(home.dagster / "history" / "runs"), ensure_ascii=False)
    )
    if not configuration.exists() or configuration.read_text() != written:
        configuration.write_text(written)
    return home.dagster
