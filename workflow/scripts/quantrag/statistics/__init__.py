"""Intervals, paired tests, equivalence and trends, resampled by user (see docs/statistics.md)."""
