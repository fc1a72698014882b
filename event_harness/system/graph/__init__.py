"""The graph of a system, from Terraform's state: its components, and how events pass between them."""
