"""Databases as a source: rows read by a cursor column into landing files; no dagster."""
