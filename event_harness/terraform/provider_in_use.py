"""Says which hashicorp/aws a deployment uses and why, in every error of terraform's."""

import re
from pathlib import Path

from event_harness.terraform.configuration import LOCK
from event_harness.terraform.provider_3_39 import limits
from event_harness.terraform.recovery import Failure
from event_harness.terraform.toolchain import Toolchain

_LOCKED = re.compile(r'provider "[^"]*/hashicorp/aws" \{\s*version\s*=\s*"([^"]+)"')
# What terraform's environment needs on an emulator: newer releases then don't wait for changes to propagate.
# Releases that don't know the variable ignore it.
ON_EMULATOR = {"TF_AWS_ASSUME_NO_PROPAGATION_DELAY": "true"}
_EXPLAINED = ("init", "validate", "plan", "apply")


class ProviderInUse:
    """The hashicorp/aws of one configuration.

    Args:
        tools: the binary and where its providers come from.
        configuration: the root; after `terraform init` its lock file names the version.
    """

    def __init__(self, tools: Toolchain, configuration: Path) -> None:
        self._tools = tools
        self._lock = configuration / LOCK

    @property
    def tofu(self) -> bool:
        """Whether OpenTofu runs it."""
        return self._tools.kind == "tofu"

    @property
    def version(self) -> str | None:
        """Its version; None before init, or if the configuration doesn't use it."""
        if self._tools.old_provider:
            return limits.VERSION
        return locked(self._lock)

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The Lambda runtimes that it knows; empty if that isn't known."""
        return limits.RUNTIMES if self._tools.old_provider else ()

    @property
    def name(self) -> str:
        """Its name with its version: "hashicorp/aws 6.69.1"."""
        return f"hashicorp/aws {self.version}" if self.version else "hashicorp/aws"

    def __str__(self) -> str:
        return f"{self.name} {self._tools.source}"

    def explain(self, failure: Failure) -> str:
        """What to add to the message of a terraform command that failed; may be empty.

        Args:
            failure: the command.
        """
        if failure.command not in _EXPLAINED:
            return ""
        why = [limits.explain(error) for error in failure.errors] if self._tools.old_provider else []
        reasons = dict.fromkeys(reason for reason in why if reason)
        return "".join(f"; {said}" for said in [*reasons, str(self)])


def locked(lock: Path) -> str | None:
    """The version of hashicorp/aws that a lock file names."""
    try:
        found = _LOCKED.search(lock.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return found.group(1) if found else None
