"""Plans: stations, refuges, supplies."""
