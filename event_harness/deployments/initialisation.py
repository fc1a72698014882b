"""Runs `terraform init` in a deployment's view, unless it is known what init would leave there."""

import re
from collections.abc import Callable
from pathlib import Path

from event_harness.deployments.record import DeploymentRecord
from event_harness.machine.cache import cache_directory
from event_harness.terraform.command import Terraform
from event_harness.terraform.recovery import Failure
from event_harness.terraform.remembered_init import RememberedInit
from event_harness.terraform.toolchain import Toolchain

# In automation, terraform doesn't name the command for plugins.
_ASKS_FOR_INIT = re.compile(
    r"\b(terraform|tofu) init\b|Required plugins are not installed|Inconsistent dependency lock file"
)


class Initialisation:
    """The init of one deployment.

    Args:
        record: the deployment's record.
        data_dir: its TF_DATA_DIR.
        toolchain: the binary and the providers.
        terraform: makes a Terraform that may reach the provider registry.
        remembers: whether it may leave what the last init of the same configuration has left.

    Attributes:
        ran: whether `terraform init` was needed.
    """

    def __init__(
        self,
        record: DeploymentRecord,
        data_dir: Path,
        toolchain: Toolchain,
        terraform: Callable[[], Terraform],
        *,
        remembers: bool,
    ) -> None:
        self.ran = True
        self._record, self._data_dir = record, data_dir
        self._toolchain, self._terraform = toolchain, terraform
        self._remembers = remembers
        self._remembered: RememberedInit | None = None

    def run(self) -> None:
        """Initialise the view. It may be called again."""
        self._remembered = self._memory()
        self.ran = not (self._remembered and self._remembered.restore())
        if self.ran:
            self._init()

    def after_all(self, failure: Failure, used: int) -> str | None:
        """Run init if it was left out and terraform asks for it: somebody has changed what it had linked.

        Returns:
            What to tell the user; None if nothing was done.
        """
        if used or self.ran or not self._remembered or failure.created:
            return None
        if not _ASKS_FOR_INIT.search(failure.error_text):
            return None
        self.ran = True
        self._remembered.forget()
        self._init()
        return f"terraform {failure.command} asks for init, which has run now"

    def _init(self) -> None:
        with self._toolchain.installing():
            self._terraform().init(color=False)
        if self._remembered:
            self._remembered.keep()

    def _memory(self) -> RememberedInit | None:
        """What init has left of this configuration before; None if it runs anyway."""
        if not self._remembers or self._record.remote_state:
            return None
        return RememberedInit.of(
            self._toolchain,
            self._terraform().env,
            store=cache_directory() / "init",
            configuration=self._record.configuration_dir,
            data_dir=self._data_dir,
            state=self._record.state_path,
        )
