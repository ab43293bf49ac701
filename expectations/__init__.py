"""Acceptance of raw data and of marts: Great Expectations suites and their runner."""
