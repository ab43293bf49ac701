"""The Superset bundle in docs/superset: its datasets from the contract, and its import file."""
