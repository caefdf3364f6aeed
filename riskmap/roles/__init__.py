"""What a layer can be: one YAML file a role."""
