"""The one map: one HTML file that opens offline."""
