"""How terraform is called for one deployment: its environment, its directory, its variables."""

import contextlib
import dataclasses
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from event_harness.aws.ownership import PROCESS_MARK
from event_harness.aws.targets import Target
from event_harness.deployments import hints
from event_harness.deployments.initialisation import Initialisation
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.remote_state import RemoteState
from event_harness.deployments.shortcuts import AT_ONCE, MORE_MEMORY, Shortcuts
from event_harness.errors import EmulatorGoneError, HarnessError, SettingError, StateError
from event_harness.machine import temporary
from event_harness.machine.progress import Progress, harmless
from event_harness.terraform import (
    console,
    emptied,
    known_variables,
    provider_in_use,
    provider_servers,
    state_file,
)
from event_harness.terraform.command import Terraform
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.overrides import write_override
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.recovery import Failure, Transient
from event_harness.terraform.runtimes import RuntimeSubstitution
from event_harness.terraform.toolchain import Toolchain

# Inputs that the harness sets wherever a configuration declares them.
GATE = "deploy_test_resources"
CONVENTIONS: Mapping[str, Any] = {GATE: True, "ephemeral": True}

# What a person has set for terraform at the command line, and what would lead it elsewhere. All else reaches
# it: TF_VAR_*, TF_TOKEN_*, TF_REGISTRY_* and so on.
_NOT_FOR_TERRAFORM = ("TF_CLI_ARGS", "TF_DATA_DIR", "TF_LOG", "TF_WORKSPACE", "TF_INPUT", "TF_REATTACH")

COMMON = ("-no-color", "-input=false")


class TerraformCalls:
    """Calls terraform for one deployment.

    Args:
        record: the deployment's record.
        target: where it is deployed.
        toolchain: the binary and the providers.
        say: prints a line of progress.
        timeout: seconds that one terraform command may take.
        interrupted: once it is set, init or apply ends as by Ctrl-C; destroy doesn't heed it.
        check_target: raises EmulatorGoneError if the emulator has ended.
        answering: waits for an emulator that still starts, and returns the target; None if there is none.
        retry: regular expressions of terraform errors after which a command continues, besides our own.
        shortcuts: the short cuts that may be taken: on, off, or some names.

    Attributes:
        initialisation: runs `terraform init`, or spares it.
    """

    def __init__(
        self,
        record: DeploymentRecord,
        target: Target,
        toolchain: Toolchain,
        *,
        say: Callable[[str], None] | None = None,
        timeout: float = 1800.0,
        interrupted: threading.Event | None = None,
        check_target: Callable[[], None] = lambda: None,
        answering: Callable[[], Target | None] = lambda: None,
        retry: Iterable[str] = (),
        shortcuts: str = "off",
    ) -> None:
        self.record = record
        self.target = target
        self.toolchain = toolchain
        self.say = harmless(say)
        self.timeout = timeout
        self.interrupted = interrupted
        self.check_target = check_target
        self._answering = answering
        self.retry = tuple(retry)
        self.shortcuts = Shortcuts.of(shortcuts, target)
        self.initialisation = Initialisation(
            record,
            self.data_dir,
            toolchain,
            lambda: self.terraform(internet=True),
            remembers=self.shortcuts.init,
        )

    @property
    def tofu(self) -> bool:
        """Whether OpenTofu runs it."""
        return getattr(self.toolchain, "kind", "terraform") == "tofu"

    @cached_property
    def remote(self) -> RemoteState | None:
        """Where the state is kept, if not only on this machine.

        Raises:
            SettingError: the bucket can't be used.
        """
        url = self.record.remote_state
        return RemoteState.open(url, self.target) if url else None

    def fetch_state(self) -> None:
        """Renew the copy of a remote state.

        Raises:
            StateError: it can't be read.
            SettingError: the bucket can't be used.
        """
        if self.remote:
            self.remote.fetch(self.record)

    def publish_record(self) -> None:
        """Write the record beside a remote state.

        Raises:
            StateError: it can't be written.
            SettingError: the bucket can't be used.
        """
        if self.remote:
            self.remote.publish(self.record)

    def forget_state(self) -> None:
        """Delete a remote state with its record: nothing of the deployment is left."""
        try:
            if self.remote:
                self.remote.forget(self.record.deployment_id)
        except HarnessError as error:  # the next sweep finds a state without resources
            self.say(f"deployment {self.record.deployment_id}: its remote state stays: {error}")

    @property
    def data_dir(self) -> Path:
        """Its TF_DATA_DIR."""
        return self.record.directory / "data"

    @property
    def _data_dir_from_root(self) -> str:
        """TF_DATA_DIR as Terraform gets it: `path.module` of a fetched module is relative if this is."""
        return os.path.relpath(self.data_dir.resolve(), self.record.configuration_dir.resolve())

    @property
    def workspace(self) -> str:
        """Its Terraform workspace."""
        return self.record.workspace or self.record.deployment_id

    @property
    def provider(self) -> ProviderInUse:
        """The hashicorp/aws in use."""
        return ProviderInUse(self.toolchain, self.record.configuration_dir)

    @property
    def runtimes(self) -> tuple[RuntimeSubstitution, ...]:
        """The substitution of Lambda runtimes; none on AWS."""
        if not self.target.endpoint_url:
            return ()
        return (RuntimeSubstitution(self.provider, self.record.configuration_dir, self.data_dir),)

    def initialise(self) -> None:
        """Write the override files, and init the deployment's view. It may be called again."""
        version = self._write_override()
        self.initialisation.run()
        if self.provider.version != version:
            self._write_override()
        if self.remote:
            self.terraform().workspace(self.workspace)

    def await_target(self) -> None:
        """Wait until an emulator that still starts answers. Nothing before needs it: init reads no state.

        Raises:
            EmulatorError: it did not start.
        """
        target = self._answering()
        if target and target.endpoint_url != self.target.endpoint_url:  # another process took its port first
            self.target, self.record.endpoint_url = target, target.endpoint_url
            self._write_override()

    @property
    def _state_is_here(self) -> bool:
        """Whether files tell what terraform would tell of the state."""
        return self.shortcuts.commands and not self.record.remote_state

    def _write_override(self) -> str | None:
        """Write the override files for the provider's version as it is known, which is returned."""
        version = self.provider.version
        write_override(
            self.record.configuration_dir,
            endpoint_url=self.target.endpoint_url,
            old_provider=self.toolchain.old_provider,
            tags=self.record.tags,
            state=self.record.state_path,
            tofu=self.tofu,
            version=version,
            backend=self.remote.backend() if self.remote else None,
        )
        return version

    def outputs(self) -> dict[str, Any]:
        """The outputs of what is deployed."""
        if self._state_is_here:
            with contextlib.suppress(StateError):  # OpenTofu may have encrypted the state
                return state_file.outputs(self.record.state)
        text = self.terraform().execute_command("output", "-no-color", "-json").out
        return {name: value["value"] for name, value in json.loads(text).items()}

    def flags(self) -> list[str]:
        """The flags of apply and destroy, without the variables."""
        at_once = [f"-parallelism={AT_ONCE}"] if self.shortcuts.parallelism else []
        return ["-auto-approve", *COMMON, *at_once]

    def variable_flags(self) -> list[str]:
        """The variables as Terraform's command line takes them; the last one counts."""
        texts = _texts(self.record.variables)
        conventions = {
            name for name, value in CONVENTIONS.items() if self.record.variables.get(name) is value
        }
        first = [f"-var={name}={texts[name]}" for name in sorted(conventions)]
        files = [f"-var-file={self.record.directory.resolve() / name}" for name in self.record.var_files]
        return [*first, *files, *(f"-var={name}={texts[name]}" for name in texts if name not in conventions)]

    def record_providers(self, region_origin: str) -> None:
        """Record the provider blocks with their values, and work in the region that they name.

        Args:
            region_origin: where the user has set the target's region; empty if the configuration may choose.

        Raises:
            SettingError: the user has set another region.
        """
        configuration = Configuration.read(self.record.configuration_dir, tofu=self.tofu)
        found = emptied.expressions(configuration)
        if self.shortcuts.commands:  # our emulator needs nothing but the region
            found = {
                alias: {name: self._known(text, configuration) for name, text in arguments.items()}
                for alias, arguments in emptied.only(found, "region").items()
            }
        known = console.answers(emptied.questions(found), self.record.configuration_dir, self._console)
        self.record.provider_blocks = emptied.evaluated(found, known)
        region = next((b.get("region") for b in self.record.provider_blocks if "alias" not in b), None)
        if region and region != self.target.region:
            if region_origin:
                raise SettingError(
                    f"region is {self.target.region} ({region_origin}), but the configuration deploys "
                    f"to {region}: leave the setting out, or set it to {region}"
                )
            self.say(f"the configuration deploys to {region}")
            self.target = dataclasses.replace(self.target, region=str(region), _clients={})
            self.record.region = str(region)
        self.record.save()

    def _known(self, expression: str, configuration: Configuration) -> str:
        return known_variables.constant_of(
            expression,
            configuration,
            self.record.variables,
            elsewhere=[*self.record.var_files, *known_variables.set_elsewhere(configuration, os.environ)],
        )

    def _console(self, line: str) -> str:
        return console.ask(
            line,
            self.record.configuration_dir,
            binary=self.toolchain.binary,
            flags=self.variable_flags(),
            environ=self.terraform().env,
        )

    def terraform(
        self, *, internet: bool = False, progress: Progress | None = None, directory: Path | None = None
    ) -> Terraform:
        """Terraform in the deployment's view, or in another directory.

        Args:
            internet: whether it may reach the provider registry.
            progress: follows its output.
            directory: the root, if it isn't that of the view.
        """
        base = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_FOR_TERRAFORM)}
        environ = self.target.environ(base, allow_internet=internet) | self.toolchain.environ()
        environ |= {
            "TF_DATA_DIR": str(directory.resolve() / "data") if directory else self._data_dir_from_root,
            "TMPDIR": str(temporary.make(self.record.temporary)),
            PROCESS_MARK: self.record.deployment_id,
        }
        if not (directory or self.record.remote_state):
            # With the local backend it need not exist: apply makes it.
            environ["TF_WORKSPACE"] = self.workspace
        if self.target.endpoint_url:
            environ |= provider_in_use.ON_EMULATOR
        if self.shortcuts.memory:
            environ = MORE_MEMORY | environ
        return Terraform(
            directory or self.record.configuration_dir,
            binary=self.toolchain.binary,
            environ=environ,
            logs=self.record.logs,
            timeout=self.timeout,
            on_line=progress,
            interrupted=None if progress and progress.verb == "destroy" else self.interrupted,
            check=self.check_target,
            recoveries=(
                self.initialisation.after_all,
                Transient(self.retry, self._target_is_gone),
                *self.runtimes,
            ),
            explain=self._explain,
            say=self.say,
            serve=tuple if directory or self.tofu or not self.shortcuts.providers else self._servable,
        )

    def _servable(self) -> list[provider_servers.Provider]:
        return provider_servers.servable(self.record.configuration_dir, self.data_dir)

    def _target_is_gone(self) -> bool:
        """Whether the emulator has ended. Other faults of the target may pass."""
        try:
            self.check_target()
            self.target.check()
        except EmulatorGoneError:
            return True
        except HarnessError:
            return False
        return False

    def _explain(self, failure: Failure) -> str:
        return hints.of(failure) + self.provider.explain(failure)


def _texts(variables: Mapping[str, Any]) -> dict[str, str]:
    """Values as a command line wants them: text as it is, anything else as JSON, which Terraform reads."""
    return {name: v if isinstance(v, str) else json.dumps(v) for name, v in variables.items()}
