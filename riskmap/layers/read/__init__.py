"""Files as offices have them, read as they are."""
