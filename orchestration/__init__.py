"""Orchestration of the customer-value warehouse: load, validate, build, publish."""
