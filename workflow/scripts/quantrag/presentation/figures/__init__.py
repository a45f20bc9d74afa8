"""Figures for publication, each drawn from the tables alone."""
