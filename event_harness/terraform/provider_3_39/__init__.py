"""Everything that only hashicorp/aws 3.39 needs; to drop 3.39, delete this folder."""
