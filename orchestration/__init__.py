"""Orchestration of the customer-value warehouse: load, validate, build, publish."""

__version__ = "0.1.0"
