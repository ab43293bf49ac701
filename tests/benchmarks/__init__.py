"""Benchmarks, run by hand with `make bench`; no test asserts a time."""
