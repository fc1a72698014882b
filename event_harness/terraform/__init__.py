"""All about Terraform: the binary, its providers, the configuration, the overrides, the state."""
