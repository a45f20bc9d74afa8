"""Folders of weights: sources, checks, fingerprints, formats."""
