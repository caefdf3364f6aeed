"""Indicators on the grid and on units."""
