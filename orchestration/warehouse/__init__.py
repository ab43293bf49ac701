"""The dbt project as Dagster runs it: its environment, manifest and asset keys."""
