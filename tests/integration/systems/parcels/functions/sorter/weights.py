"""What counts as heavy."""


def is_heavy(parcel):
    """Whether a parcel needs two people."""
    weight = parcel["kilograms"]
    if weight > 30:
        return True
    if weight < 0:
        raise ValueError(f"a parcel of {weight} kg")
    return False
