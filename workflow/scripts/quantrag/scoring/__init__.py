"""Scoring: completions to predictions to scores per query."""
