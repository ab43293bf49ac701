from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expectations.contract import Contract

FEEDS = Path(__file__).parents[2] / "orchestration" / "ingest" / "feeds.yml"


@pytest.fixture(scope="session")
def contract() -> Contract:
    loaded: Contract = yaml.safe_load(FEEDS.read_text(encoding="utf-8"))
    return loaded
