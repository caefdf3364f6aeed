"""Composite index over any table; knows no geometry."""
