"""The Dagster wiring: keys, lineage, gates, schedules, sensors."""
