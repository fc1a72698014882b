"""What a dead deployment has left behind, and how each kind of resource is removed."""
