"""Writing: map, GeoPackage, workbooks, manifest. The only room that writes output."""
