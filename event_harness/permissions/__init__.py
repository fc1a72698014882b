"""Whether the deployed system has the permissions that AWS would ask for, where the emulator doesn't ask."""
