"""Intervals, paired tests, equivalence and trends over clusters (see docs/statistics.md)."""
