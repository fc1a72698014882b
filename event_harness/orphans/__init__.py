"""Orphaned resources of dead deployments: find them by tag, and remove each kind of resource."""
