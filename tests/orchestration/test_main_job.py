"""The main job in this process: it has published, or it says why not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pytest

from orchestration import main_job
from orchestration.errors import BuildFailedError
from orchestration.home import Home
from orchestration.jobs import JOB_NAME
from orchestration.progress import LogProgress
from orchestration.resources import session_resource
from orchestration.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """A run sets variables for Dagster; they must not outlive the test."""
    with mock.patch.dict(os.environ):
        yield


def test_a_run_whose_last_steps_were_left_out_has_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset(output_required=False, required_resource_keys={"session"})
    def untold() -> Iterator[dg.Output[None]]:
        yield from ()

    @dg.asset(deps=[untold])
    def publication() -> None:
        pytest.fail("it waits for what never came")

    def definitions(settings: Settings, **options: Any) -> dg.Definitions:
        session = session_resource(
            settings, options["progress"], options["on_session"], options["lock"]
        )
        return dg.Definitions(
            assets=[untold, publication],
            jobs=[dg.define_asset_job(JOB_NAME)],
            resources={"session": session},
        )

    settings = load_settings(tmp_path / "home")
    Home(settings.home).prepare()
    monkeypatch.setattr(main_job, "build_definitions", definitions)
    with pytest.raises(BuildFailedError, match="with steps left out"):
        main_job.run_main_job(settings, LogProgress(dg.get_dagster_logger()))
