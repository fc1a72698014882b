"""Which short cuts a deployment takes. All of them are for the emulator that the harness has started itself.

A short cut changes how long apply and destroy take, and nothing that a test can see. None is taken on AWS, or
on an emulator of somebody else.
"""

from dataclasses import dataclass

from event_harness.aws.targets import Target
from event_harness.setting_values import SHORTCUTS

MORE_MEMORY = {"GOGC": "400"}
"""Go's collector takes a fifth of the CPU time of terraform and its providers, which live for seconds."""


AT_ONCE = 32
"""Resources that terraform works at. Its default is 10, and each function is a wait of 5 s."""


@dataclass(frozen=True)
class Shortcuts:
    """The short cuts of one deployment.

    Attributes:
        code: functions are made from a bucket, at the same time; see `terraform.code_overrides`.
        commands: what a command of terraform would do or tell is done or read in files; see `TerraformCalls`.
        init: `terraform init` runs only if what it reads has changed; see `terraform.remembered_init`.
        refresh: the process that has applied destroys without a look at each resource; see `Destroyer`.
        providers: each provider is started once for a command; see `terraform.provider_servers`.
        parallelism: terraform works at more resources at the same time; see `AT_ONCE`.
        memory: terraform and its providers collect garbage less often; see `MORE_MEMORY`.
    """

    code: bool = False
    commands: bool = False
    init: bool = False
    refresh: bool = False
    providers: bool = False
    parallelism: bool = False
    memory: bool = False

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
