"""Geometry: CRS, grid, overlay, surfaces, terrain and road network."""
