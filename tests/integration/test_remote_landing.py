"""Landing areas on S3 and SFTP, from real servers, load like a local folder."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError, DataBlockedError
from orchestration.ingest.cache import local_landing
from orchestration.ingest.load import LoadResult, load
from orchestration.ingest.remote import PASSWORD_VARIABLE, RemoteLanding
from orchestration.sensors import landing_fingerprint
from orchestration.settings import Settings, load_settings
from tests.support.command import tierwise
from tests.support.landing import invoice, month_at, write_feed, write_small_operator
from tests.support.loading import SmallOperator
from tests.support.remote import BUCKET, SECRET, S3Server, SftpServer, s3_server, sftp_server

AREA = f"s3://{BUCKET}/in"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    with sftp_server(tmp_path / "sftp") as server:
        monkeypatch.setenv("HOME", str(server.user_home))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        yield server


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are fetched."""
    names: list[str] = []
    real_fetch = RemoteLanding.fetch

    def fetch(remote, file, target):
        names.append(file.name)
        real_fetch(remote, file, target)

    monkeypatch.setattr(RemoteLanding, "fetch", fetch)
    return names


def settings_of(folder: Path, address: str, **changes: str) -> Settings:
    return load_settings(
        folder / "home", landing=address, reference=folder / "reference", **changes
    )


def load_area(folder: Path, address: str, run_id: str, **changes: str) -> LoadResult:
    now = dt.datetime.now(dt.UTC)
    settings = settings_of(folder, address, **changes)
    return load(settings, run_id=run_id, started_at=now, code_version="test")


def lake(folder: Path, query: str) -> list[tuple[object, ...]]:
    return SmallOperator(folder / "reader", months=1).query(query, folder / "home")


CONTENT = "select * exclude (_delivery_rank) from raw.invoices order by invoice_id"
LEDGER = "select feed, file_name, file_sha256, rows_loaded, status from ledger order by all"


def test_a_bucket_loads_like_the_folder_it_was_filled_from(
    s3: S3Server, tmp_path: Path, fetched: list[str]
) -> None:
    landing, _ = write_small_operator(tmp_path)
    s3.put_folder(landing, "in")
    s3.put("in/notes.txt", b"hello")
    s3.put("in/invoices/.hidden.csv", b"x")
    s3.put("in-other/invoices/2024-01.csv", b"not ours")
    before = s3.content()
    load_area(tmp_path, AREA, "run-1")
    local = SmallOperator(tmp_path / "local")
    local.load()
    assert lake(tmp_path, CONTENT) == local.query(CONTENT)
    assert lake(tmp_path, LEDGER) == local.query(LEDGER)
    assert s3.content() == before
    delivered = s3.client().head_object(Bucket=BUCKET, Key="in/invoices/2025-01.csv.gz")
    ((when,),) = lake(
        tmp_path,
        "select delivered_at from ledger where feed = 'invoices' and file_name = '2025-01.csv.gz'",
    )
    assert when == delivered["LastModified"].replace(tzinfo=None)
    assert len(fetched) == len([key for key in before if key.startswith("in/")]) - 1


def test_only_what_is_new_or_changed_is_fetched(
    s3: S3Server, tmp_path: Path, fetched: list[str]
) -> None:
    landing, _ = write_small_operator(tmp_path)
    s3.put_folder(landing, "in")
    load_area(tmp_path, AREA, "run-1")
    fetched.clear()
    result = load_area(tmp_path, AREA, "run-2")
    assert fetched == []
    assert result.feeds["invoices"].files_skipped == 3
    path = write_feed(landing, "invoices", "2025-01.csv.gz", [invoice("C1", month_at(0), "777.00")])
    s3.put("in/invoices/2025-01.csv.gz", path.read_bytes())
    s3.client().delete_object(Bucket=BUCKET, Key="in/charges/2025-01.csv")
    before = landing_fingerprint(AREA)
    load_area(tmp_path, AREA, "run-3")
    assert fetched == ["invoices/2025-01.csv.gz"]
    amounts = "select total_amount from raw.invoices where month(billing_month) = 1"
    assert [str(amount) for (amount,) in lake(tmp_path, amounts)] == ["777.00"]
    assert landing_fingerprint(AREA) == before
    s3.put("in/invoices/new.csv", b"x")
    assert landing_fingerprint(AREA) != before


def test_the_cache_keeps_its_bounds_and_forgets_nothing(
    s3: S3Server, tmp_path: Path, fetched: list[str]
) -> None:
    landing, _ = write_small_operator(tmp_path)
    rows = {"files": {f"2025-0{month}.csv.gz": {"rows": 4} for month in (1, 2, 3)}}
    (landing / "invoices" / "_control.json").write_text(json.dumps(rows))
    s3.put_folder(landing, "in")
    load_area(tmp_path, AREA, "run-1")
    content = lake(tmp_path, CONTENT)
    fetched.clear()
    payment = {"payment_id": "P9", "account_id": "A-C1", "paid_on": month_at(1), "amount": "5.00"}
    s3.put("in/payments/late.csv", write_feed(landing, "payments", "x.csv", [payment]).read_bytes())
    result = load_area(tmp_path, AREA, "run-2", landing_cache_limit="1KB")
    assert fetched == ["payments/late.csv"]
    assert result.warnings == ()
    files = (tmp_path / "home" / "landing_cache").rglob("files/*/*")
    assert sum(path.stat().st_size for path in files) < 1000
    assert lake(tmp_path, CONTENT) == content
    load_area(tmp_path, AREA, "run-3")
    assert fetched == ["payments/late.csv"]


def test_what_does_not_fit_is_told_before_it_is_fetched(
    s3: S3Server, tmp_path: Path, fetched: list[str]
) -> None:
    s3.put("in/invoices/a.csv", b"x" * 2000)
    with pytest.raises(ConfigurationError, match="more than landing_cache_limit"):
        load_area(tmp_path, AREA, "run-1", landing_cache_limit="1KB")
    assert fetched == []


def test_a_failure_in_the_middle_leaves_nothing_half(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    landing, _ = write_small_operator(tmp_path)
    s3.put_folder(landing, "in")
    settings = settings_of(tmp_path, AREA)

    def broken(system, path, target, **_):
        Path(target).write_bytes(b"half")
        raise ConnectionResetError("the connection was reset")

    with monkeypatch.context() as patch:
        from s3fs import S3FileSystem

        real_get = S3FileSystem.get_file

        def get_until_invoices(system, path, target, **options):
            if "2025-02" in path:
                broken(system, path, target)
            real_get(system, path, target, **options)

        patch.setattr(S3FileSystem, "get_file", get_until_invoices)
        with pytest.raises(ConfigurationError, match="cannot be read: the connection was reset"):
            local_landing(settings)
    whole = {path.read_bytes() for path in landing.rglob("*") if path.is_file()}
    cached = [p for p in (tmp_path / "home").rglob("files/*/*") if p.is_file()]
    assert cached
    assert all(path.read_bytes() in whole for path in cached)
    before = len(fetched)
    folder = local_landing(settings)
    assert folder is not None
    assert len(fetched) - before == len(whole) - len(cached)
    assert {p.read_bytes() for p in folder.rglob("*") if p.is_file()} == whole


def test_a_file_that_grows_is_not_taken(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("in/invoices/a.csv", b"one")
    real_files = RemoteLanding.files

    def files(remote):
        found = real_files(remote)
        s3.put("in/invoices/a.csv", b"one and more")
        return found

    monkeypatch.setattr(RemoteLanding, "files", files)
    with pytest.raises(DataBlockedError, match=f"{AREA}/invoices/a.csv changed while"):
        local_landing(settings_of(tmp_path, AREA))
    assert list((tmp_path / "home").rglob("a.csv")) == []


@pytest.mark.parametrize("key", ["in/invoices/../../../up.csv", f"in/invoices/{'n' * 240}.csv"])
def test_a_name_cannot_climb_out_of_the_cache(s3: S3Server, tmp_path: Path, key: str) -> None:
    s3.put(key, b"x")
    with pytest.raises(DataBlockedError, match="a name that no file can have"):
        local_landing(settings_of(tmp_path, AREA))
    assert list(tmp_path.rglob("*.csv")) == []


@pytest.mark.parametrize(
    ("address", "variables", "said"),
    [
        ("s3://nosuchbucket/in", {}, "s3://nosuchbucket/in is not there"),
        ("s3://deliveries/elsewhere", {}, "s3://deliveries/elsewhere is not there"),
        (AREA, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "cannot be read: Could not connect"),
        ("gs://bucket/in", {}, "known are s3://bucket/prefix and sftp://user@host/path"),
        ("s3:///in", {}, "names no host or bucket"),
        (f"sftp://me:{SECRET}@127.0.0.1/in", {}, "holds a password"),
        ("sftp://me@127.0.0.1:1/in", {}, "Connect call failed"),
    ],
)
def test_what_cannot_be_reached_is_exit_2_in_one_line(
    s3: S3Server, tmp_path: Path, address: str, variables: dict[str, str], said: str
) -> None:
    s3.put("in/invoices/a.csv", b"x")
    outcome = tierwise("run", "--landing", address, "--home", tmp_path / "home", **variables)
    assert outcome.returncode == 2, outcome.stderr
    assert said in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert SECRET not in outcome.stdout + outcome.stderr


def test_without_permission_nothing_is_read(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    def denied(*_, **__):
        raise PermissionError("Access Denied")

    s3.put("in/invoices/a.csv", b"x")
    monkeypatch.setattr(S3FileSystem, "find", denied)
    with pytest.raises(ConfigurationError, match=f"{AREA} cannot be read: Access Denied"):
        local_landing(settings_of(tmp_path, AREA))


def test_refused_files_are_named_by_their_address(s3: S3Server, tmp_path: Path) -> None:
    landing, _ = write_small_operator(tmp_path, months=1)
    s3.put_folder(landing, "in")
    s3.put("in/invoices/2025-01.csv.gz", b"\x1f\x8b no gzip")
    with pytest.raises(DataBlockedError) as blocked:
        load_area(tmp_path, f"{AREA}/", "run-1")
    assert f"{AREA}/invoices/2025-01.csv.gz was refused" in str(blocked.value)
    assert "landing_cache" not in str(blocked.value)


def test_an_sftp_folder_loads_like_a_local_one(
    sftp: SftpServer, tmp_path: Path, fetched: list[str]
) -> None:
    landing, _ = write_small_operator(tmp_path)
    shutil.copytree(landing, sftp.folder / "out" / "day")
    (sftp.folder / "out" / "day" / "charges" / "link.csv").symlink_to("2025-01.csv")
    before = {path: path.read_bytes() for path in sftp.folder.rglob("*") if path.is_file()}
    load_area(tmp_path, sftp.address("/out/day"), "run-1")
    local = SmallOperator(tmp_path / "local")
    local.load()
    assert lake(tmp_path, CONTENT) == local.query(CONTENT)
    assert "charges/link.csv" in fetched
    fetched.clear()
    load_area(tmp_path, sftp.address("/out/day/"), "run-2")
    assert {p: p.read_bytes() for p in sftp.folder.rglob("*") if p.is_file()} == before
    changed = sftp.folder / "out" / "day" / "invoices" / "2025-01.csv.gz"
    os.utime(changed, (time.time() + 60, time.time() + 60))
    fetched.clear()
    load_area(tmp_path, sftp.address("/out/day/"), "run-3")
    assert fetched == ["invoices/2025-01.csv.gz"]


def test_an_unknown_host_is_not_trusted(sftp: SftpServer, tmp_path: Path) -> None:
    (sftp.folder / "in").mkdir()
    (sftp.user_home / ".ssh" / "known_hosts").unlink()
    with pytest.raises(ConfigurationError, match="Host key is not trusted"):
        local_landing(settings_of(tmp_path, sftp.address("/in")))


def test_sftp_faults_are_told_in_one_line(
    sftp: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="/nowhere is not there"):
        local_landing(settings_of(tmp_path, sftp.address("/nowhere")))
    (sftp.user_home / ".ssh" / "id_ed25519").unlink()
    monkeypatch.setenv(PASSWORD_VARIABLE, f"{SECRET}-wrong")
    with pytest.raises(ConfigurationError, match="Permission denied") as refused:
        local_landing(settings_of(tmp_path, sftp.address("/in")))
    assert SECRET not in str(refused.value)


def test_sftp_takes_a_password_from_the_environment(
    sftp: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sftp.user_home / ".ssh" / "id_ed25519").unlink()
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    (sftp.folder / "in" / "invoices").mkdir(parents=True)
    (sftp.folder / "in" / "invoices" / "a.csv").write_text("x")
    folder = local_landing(settings_of(tmp_path, sftp.address("/in")))
    assert folder is not None
    assert (folder / "invoices" / "a.csv").read_text() == "x"


def test_copies_of_customer_data_are_the_owners_alone(s3: S3Server, tmp_path: Path) -> None:
    s3.put("in/invoices/a.csv", b"x")
    local_landing(settings_of(tmp_path, AREA))
    room = tmp_path / "home" / "landing_cache"
    assert stat.S_IMODE(room.stat().st_mode) == 0o700
