"""Which short cuts a deployment takes. All of them are for the emulator that the harness has started itself.

A short cut changes how long apply and destroy take, and nothing that a test can see. None is taken on AWS, or
on an emulator of somebody else.
"""

from dataclasses import dataclass

from event_harness.aws.targets import Target
from event_harness.settings import SHORTCUTS


@dataclass(frozen=True)
class Shortcuts:
    """The short cuts of one deployment.

    Attributes:
        code: functions are made from a bucket, at the same time; see `terraform.code_overrides`.
    """

    code: bool = False

    @classmethod
    def of(cls, setting: str, target: Target) -> "Shortcuts":
        """Those that are wanted and possible.

        Args:
            setting: on, off, or some names.
            target: where the deployment is.
        """
        if setting == "off" or not target.emulator_log:
            return cls()
        wanted = SHORTCUTS if setting == "on" else [name.strip() for name in setting.split(",")]
        return cls(**dict.fromkeys(wanted, True))
