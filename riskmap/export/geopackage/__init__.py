"""The one database: every layer and table in one GeoPackage."""
