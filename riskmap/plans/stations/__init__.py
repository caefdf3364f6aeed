"""Who comes in time."""
