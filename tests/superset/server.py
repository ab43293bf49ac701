"""A real Superset for as long as a test needs one, and its API."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).with_name("superset_config.py")
USER = "admin"
STEP_SECONDS = 600
START_SECONDS = 300
ANSWER_SECONDS = 120


@dataclass(frozen=True)
class Superset:
    """A running Superset: where it is, and who may do everything in it."""

    address: str
    password: str
    token: str = ""

    def call(
        self, path: str, body: bytes | dict[str, Any] | None = None, kind: str = "application/json"
    ) -> Any:
        """The answer of the API; an error of Superset's fails the test with its words."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Content-Type": kind}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(f"{self.address}{path}", content, headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error

    def upload(self, path: str, field: str, bundle: Path, **fields: str) -> Any:
        """Send a zip as a form does."""
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}";'
            f' filename="{bundle.name}"\r\nContent-Type: application/zip\r\n\r\n'
        )
        content = "".join(parts).encode() + bundle.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        return self.call(path, content, f"multipart/form-data; boundary={boundary}")

    def listed(self, kind: str) -> dict[str, dict[str, Any]]:
        """Everything of a kind (chart, dataset, dashboard) by its uuid."""
        answer = self.call(f"/api/v1/{kind}/?q=(page_size:200)")
        return {one["uuid"]: one for one in answer["result"]}

    def ask(self, query: dict[str, Any], dataset_id: int) -> list[dict[str, Any]]:
        """The rows of a query on a dataset, asked anew as a chart does."""
        context = {
            "datasource": {"id": dataset_id, "type": "table"},
            "queries": [query],
            "result_format": "json",
            "result_type": "full",
            "force": True,
        }
        (result,) = self.call("/api/v1/chart/data", context)["result"]
        assert not result.get("error"), result["error"]
        rows: list[dict[str, Any]] = result["data"]
        return rows


@contextlib.contextmanager
def superset_server(programs: Path, folder: Path) -> Iterator[Superset]:
    """A Superset with an administrator and nothing else, on a free port of this machine.

    Args:
        programs: folder of Superset's own Python environment with its commands.
        folder: where it keeps its metadata and its log.
    """
    superset = Superset(f"http://127.0.0.1:{_free_port()}", secrets.token_urlsafe(16))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SUPERSET_HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(CONFIG),
        "FLASK_APP": "superset",
        "SCARF_ANALYTICS": "false",
        "TIERWISE_SUPERSET_SECRET_KEY": secrets.token_urlsafe(48),
        "TIERWISE_SUPERSET_METADATA": f"sqlite:///{folder}/superset.db",
    }
    person = ["--firstname", "Ad", "--lastname", "Min", "--email", "admin@example.org"]
    for step in (
        ["db", "upgrade"],
        ["fab", "create-admin", "--username", USER, "--password", superset.password, *person],
        ["init"],
    ):
        done = subprocess.run(
            [programs / "superset", *step],
            env=environment, cwd=folder, capture_output=True, text=True,
            timeout=STEP_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    log = folder / "superset.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [
                programs / "gunicorn", "--workers", "1", "--worker-class", "gthread",
                "--threads", "4", "--timeout", str(ANSWER_SECONDS),
                "--bind", superset.address.removeprefix("http://"),
                "superset.app:create_app()",
            ],
            env=environment, cwd=folder, stdout=written, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _wait(superset, process, log)
            yield Superset(superset.address, superset.password, _token(superset))
        finally:
            process.terminate()
            process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait(superset: Superset, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    host = superset.address.removeprefix("http://")
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection(host, timeout=ANSWER_SECONDS)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.5)


def _token(superset: Superset) -> str:
    who = {"username": USER, "password": superset.password, "provider": "db", "refresh": False}
    token: str = superset.call("/api/v1/security/login", who)["access_token"]
    return token
