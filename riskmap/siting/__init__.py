"""Location and allocation models with proven bounds; knows no geometry."""
