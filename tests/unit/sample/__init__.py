"""Tests of the sample generator and of the bundled sample."""
