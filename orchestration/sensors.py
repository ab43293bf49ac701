"""What starts the main job when something is delivered; switched on by the operator."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from orchestration.ingest.remote import open_remote
from orchestration.jobs import JOB_NAME


def landing_fingerprint(landing: Path | str) -> str | None:
    """What lies in the landing area: names, sizes and times; none without any file."""
    digest = hashlib.sha256()
    if isinstance(landing, str):
        with open_remote(landing) as remote:
            present = remote.files()
        for name in sorted(present):
            digest.update(f"{name}\0{present[name].stamp}\0".encode())
        return digest.hexdigest() if present else None
    files = sorted(path for path in landing.rglob("*") if path.is_file())
    for path in files:
        status = path.stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest() if files else None


def landing_sensor(landing: Path | str | None) -> dg.SensorDefinition:
    """Start a run once the landing area has changed and then stayed still for one tick.

    Waiting for stillness keeps a run from reading a delivery that is still arriving.
    """

    @dg.sensor(
        name="landing_changed",
        job_name=JOB_NAME,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Starts {JOB_NAME} when files have arrived and no more are arriving.",
    )
    def landing_changed(
        context: dg.SensorEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        is_there = isinstance(landing, str) or (landing is not None and landing.is_dir())
        seen = landing_fingerprint(landing) if landing and is_there else None
        if seen is None:
            yield dg.SkipReason("Nothing has been delivered: the landing area holds no file.")
            return
        if seen != context.cursor:
            context.update_cursor(seen)
            yield dg.SkipReason("The landing area has changed; waiting until it is still.")
            return
        yield dg.RunRequest(run_key=seen)

    return landing_changed
