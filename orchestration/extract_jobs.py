"""One job per declared database: what is new in it, into the landing folder."""

import dagster as dg

from orchestration.extract.config import declared_sources
from orchestration.settings import Settings


def extract_jobs(settings: Settings) -> list[dg.JobDefinition]:
    """The jobs `extract_<source>`, to be started by hand or by a schedule.

    They are apart from the main job, which loads what stands in the landing area,
    whoever put it there; the sensor on the landing area starts it.

    Raises ConfigurationError if a source is declared wrongly.
    """
    return [_extract_job(settings, name) for name in declared_sources(settings)]


def _extract_job(settings: Settings, source: str) -> dg.JobDefinition:
    words = f"Reads what is new in the database '{source}' into the landing folder."

    @dg.op(name=f"read_{source}", description=words)
    def read(context: dg.OpExecutionContext) -> None:
        from orchestration.extract.extract import extract, told

        extracted = extract(settings, source)
        for feed in extracted:
            context.log.info(told(feed))
        context.add_output_metadata({feed.feed: feed.rows for feed in extracted})

    @dg.job(name=f"extract_{source}", description=words, executor_def=dg.in_process_executor)
    def job() -> None:
        read()

    return job
