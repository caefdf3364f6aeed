"""The numbers of standards and practice, each with unit, source and status."""
