"""What a run stores, and how it is read back."""

from sampler_bench.runs.reading import Run, read

__all__ = ["Run", "read"]
