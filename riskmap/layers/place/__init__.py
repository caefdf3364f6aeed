"""Where a row is: angles, datums and points."""
