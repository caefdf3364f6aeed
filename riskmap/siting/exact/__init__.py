"""Exact and bounded solvers of the p-median family."""
