"""`tierwise ui`: Dagster's web interface, on this machine only, with this home's history."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.command import TIERWISE, clean_environment
from tests.support.landing import write_small_operator

QUERY = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
    jobs { name } assetNodes { assetKey { path } } } } } }
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, query: str) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["data"]


def listening_addresses(port: int) -> set[str]:
    """Local addresses (hexadecimal, as the kernel lists them) that accept on the port."""
    rows = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    ]
    return {
        row[1].split(":")[0]
        for row in rows
        if row[3] == "0A" and int(row[1].split(":")[1], 16) == port
    }


def test_the_interface_shows_the_job_and_the_lineage(tmp_path: Path) -> None:
    landing, reference = write_small_operator(tmp_path, months=1)
    port = free_port()
    server = subprocess.Popen(
        [
            *(TIERWISE, "ui", "--port", str(port), "--home", tmp_path / "home"),
            *("--landing", landing, "--reference", reference),
        ],
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(180):
            try:
                nodes = ask(port, QUERY)["repositoriesOrError"]["nodes"]
                if nodes:
                    break
            except (urllib.error.URLError, ConnectionError, KeyError):
                pass
            time.sleep(1)
        assert "tierwise_run" in [job["name"] for job in nodes[0]["jobs"]]
        keys = {"/".join(node["assetKey"]["path"]) for node in nodes[0]["assetNodes"]}
        assert {"raw/invoices", "marts/customer_monthly", "publication"} <= keys
        assert listening_addresses(port) == {"0100007F"}, "127.0.0.1 alone"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)
