"""The credentials of an emulator's root user."""

import secrets
from dataclasses import dataclass, field

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Credentials:
    """An access key.

    Attributes:
        access_key: its id, which is no secret: URLs and logs show it.
        secret_key: signs requests.
    """

    access_key: str
    secret_key: str = field(repr=False)

    @classmethod
    def fresh(cls) -> "Credentials":
        """New random credentials, in the form of AWS's own."""
        return cls("AKIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_urlsafe(30))


WELL_KNOWN = Credentials("test", "test")
"""The credentials that emulators which are not ours take by convention."""
