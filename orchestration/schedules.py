"""When the main job runs by itself; switched on by the operator's data engineer."""

from __future__ import annotations

import dagster as dg

from orchestration.jobs import JOB_NAME

EVERY_MORNING = "0 5 * * *"


def daily_schedule(timezone: str) -> dg.ScheduleDefinition:
    """Every morning at five in the operator's time zone, after the night's billing run."""
    return dg.ScheduleDefinition(
        name=f"{JOB_NAME}_daily",
        job_name=JOB_NAME,
        cron_schedule=EVERY_MORNING,
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
