"""What only hashicorp/aws 3.39 needs; delete this folder on the day that release goes."""
