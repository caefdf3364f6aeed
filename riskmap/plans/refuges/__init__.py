"""Who goes where, and who has no place."""
