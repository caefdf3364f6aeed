"""Rows against the rules of their role."""
