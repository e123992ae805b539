"""Benchmarks: both sides in one process, alternated; ratios of medians. `python -m benchmarks [--quick]`."""
