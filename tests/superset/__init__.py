"""The Superset bundle: its files, and a real Superset that shows its dashboards."""
