"""Assets, checks and the job: everything is connected and nothing passes a gate."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import dagster as dg
import pytest

from orchestration.checks.acceptance import CHECK_NAME
from orchestration.definitions import build_definitions
from orchestration.ingest.contract import feed_contract
from orchestration.jobs import JOB_NAME
from orchestration.sensors import landing_fingerprint, landing_sensor
from orchestration.settings import load_settings
from orchestration.warehouse.keys import PUBLICATION, VALIDATION_RESULTS, raw_key, table_key


@pytest.fixture(scope="module", autouse=True)
def own_environment() -> Iterator[None]:
    """Preparing a home sets variables for dbt; they must not outlive these tests."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(load_settings(tmp_path_factory.mktemp("definitions") / "home"))


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dg.AssetSelection:
    return definitions.resolve_asset_graph()


def upstream_of(graph, key: dg.AssetKey) -> set[dg.AssetKey]:
    seen: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        for parent in graph.get(waiting.pop()).parent_keys:
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen


def test_every_check_has_its_asset(graph) -> None:
    checks = list(graph.asset_check_keys)
    assert len(checks) > 60
    assets = set(graph.get_all_asset_keys())
    assert [check for check in checks if check.asset_key not in assets] == []


def test_every_feed_and_every_mart_is_accepted_by_a_blocking_check(graph) -> None:
    accepted = {
        key.asset_key
        for key in graph.asset_check_keys
        if key.name == CHECK_NAME and graph.get(key).blocking
    }
    assert {raw_key(feed) for feed in feed_contract()} <= accepted
    marts = {key for key in graph.get_all_asset_keys() if key.path[0] == "marts"}
    assert marts, "the marts are assets"
    assert marts <= accepted


def test_the_publication_comes_from_every_raw_feed(graph) -> None:
    upstream = upstream_of(graph, PUBLICATION)
    required = {raw_key(name) for name in ("customers", "accounts", "subscriptions", "invoices")}
    assert required <= upstream
    used = {raw_key(name) for name in ("charges", "payments", "usage", "complaints", "managers")}
    assert used <= upstream


def test_nothing_is_snapshotted_before_every_mart_was_validated(graph) -> None:
    snapshot = table_key("snapshots", "customer_tier_snapshot")
    assert VALIDATION_RESULTS in graph.get(snapshot).parent_keys
    marts = {key for key in graph.get_all_asset_keys() if key.path[0] == "marts"}
    assert marts <= graph.get(VALIDATION_RESULTS).parent_keys


def test_the_publication_waits_for_the_snapshot_and_the_audit_tables(graph) -> None:
    parents = graph.get(PUBLICATION).parent_keys
    assert table_key("snapshots", "customer_tier_snapshot") in parents
    assert {table_key("audit", name) for name in ("load", "quarantine", "run", "validation")} <= (
        parents
    )


def test_the_job_runs_every_asset_and_every_check(definitions: dg.Definitions, graph) -> None:
    layer = definitions.resolve_job_def(JOB_NAME).asset_layer
    assert set(layer.selected_asset_keys) == set(graph.materializable_asset_keys)
    assert set(layer.asset_graph.asset_check_keys) == set(graph.asset_check_keys)


def test_schedule_and_sensor_wait_for_the_operator(definitions: dg.Definitions) -> None:
    (schedule,) = definitions.schedules
    (sensor,) = definitions.sensors
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert schedule.execution_timezone == "Asia/Shanghai"
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED


def test_resources_can_be_replaced(tmp_path: Path) -> None:
    other = dg.ResourceDefinition.hardcoded_resource("another dbt")
    replaced = build_definitions(
        load_settings(tmp_path / "home"), resource_overrides={"dbt": other}
    )
    assert replaced.resources["dbt"] is other


def test_the_sensor_starts_a_run_once_a_delivery_lies_still(tmp_path: Path) -> None:
    sensor = landing_sensor(tmp_path)
    instance = dg.DagsterInstance.ephemeral()

    def tick(cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        outcome = sensor.evaluate_tick(context)
        return list(outcome.run_requests or []), outcome.cursor

    assert tick(None) == ([], None), "nothing delivered"
    (tmp_path / "invoices").mkdir()
    (tmp_path / "invoices" / "one.csv").write_text("a\n")
    requests, cursor = tick(None)
    assert requests == [], "still arriving"
    requests, cursor = tick(cursor)
    assert len(requests) == 1
    (tmp_path / "invoices" / "two.csv").write_text("b\n")
    requests, later = tick(cursor)
    assert requests == []
    assert later != cursor


def test_a_fingerprint_follows_names_sizes_and_times(tmp_path: Path) -> None:
    assert landing_fingerprint(tmp_path) is None
    (tmp_path / "a.csv").write_text("1")
    first = landing_fingerprint(tmp_path)
    assert landing_fingerprint(tmp_path) == first
    (tmp_path / "a.csv").write_text("12")
    assert landing_fingerprint(tmp_path) != first


def test_telemetry_is_off(tmp_path: Path) -> None:
    from orchestration.home import Home
    from orchestration.instance import prepare_instance

    folder = prepare_instance(Home(tmp_path / "home"))
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        assert instance.telemetry_enabled is False
