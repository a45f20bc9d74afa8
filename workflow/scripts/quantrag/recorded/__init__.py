"""Answers that were recorded elsewhere: other programs' files -> per-item scores."""
