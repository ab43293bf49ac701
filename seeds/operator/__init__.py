"""The generator behind `tierwise sample`: an invented operator of any size."""

from seeds.operator.generate import DEFAULT_SEED, SampleSummary, write_sample

__all__ = ["DEFAULT_SEED", "SampleSummary", "write_sample"]
