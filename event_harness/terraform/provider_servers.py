"""Starts providers once for a command of terraform, which would start each of them four times.

`terraform apply` starts a provider for its schema, to validate, to plan and to apply. Each start costs CPU
time in the provider and in terraform. A provider that is started with `-debug` serves them all: HashiCorp's
plugin framework has this for debuggers, with the variable `TF_REATTACH_PROVIDERS`. Such a process knows one
provider configuration only. So a configuration with several of them, for instance with an alias, gets no
server.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from event_harness.errors import ConfigurationError
from event_harness.machine import children, clock, interrupts
from event_harness.terraform.configuration import LOCK, Configuration

VARIABLE = "TF_REATTACH_PROVIDERS"
COMMANDS = ("plan", "apply", "destroy")
"""The commands that start a provider several times."""
_SERVED = ("hashicorp/aws", "hashicorp/archive")
_LOCKED = r'^provider "([^"]+/%s)" \{\s*version\s*=\s*"([^"]+)"'
_ANNOUNCED = re.compile(rf"{VARIABLE}='(\{{.*\}})'$", re.MULTILINE)
_STARTED_WITHIN = 10.0  # seconds, after which terraform starts it; it takes 0.1 to 0.4 on an idle machine
_LOOK = 0.01


@dataclass(frozen=True)
class Provider:
    """A provider that can serve a whole command.

    Attributes:
        address: with its registry, such as `registry.terraform.io/hashicorp/aws`.
        executable: its program.
    """

    address: str
    executable: Path


def servable(configuration: Path, data_dir: Path) -> list[Provider]:
    """The providers that one process each can serve, after `terraform init`.

    Args:
        configuration: the root, in the deployment's own copy.
        data_dir: its TF_DATA_DIR.
    """
    try:
        lock = (configuration / LOCK).read_text(encoding="utf-8")
        modules = [Configuration.read(place) for place in _places(configuration, data_dir)]
    except (OSError, ValueError, KeyError, TypeError, ConfigurationError):
        return []
    found = []
    for name in _SERVED:
        locked = re.search(_LOCKED % re.escape(name), lock, re.MULTILINE)
        if not locked or not all(_plain(module, name, root=module is modules[0]) for module in modules):
            continue
        installed = data_dir / "providers" / locked[1] / locked[2]
        programs = list(installed.glob(f"*/terraform-provider-{name.rpartition('/')[2]}_*"))
        if len(programs) == 1:
            found.append(Provider(locked[1], programs[0]))
    return found


def _places(configuration: Path, data_dir: Path) -> list[Path]:
    """The directories of the root and of all modules, the root first."""
    manifest = data_dir / "modules" / "modules.json"
    modules = json.loads(manifest.read_text(encoding="utf-8"))["Modules"] if manifest.exists() else []
    found = [os.path.normpath(configuration / module["Dir"]) for module in modules]
    return [Path(place) for place in dict.fromkeys([os.path.normpath(configuration), *found])]


def _plain(module: Configuration, name: str, *, root: bool) -> bool:
    """Whether a module adds no provider configuration to the one that the root has, or that is implied."""
    if module.broken:
        return False
    local = module.aws if name == "hashicorp/aws" else name.rpartition("/")[2]
    bodies = [body for (label,), body in module.blocks("provider", 1) if label == local]
    return not bodies if not root else not any("alias" in body or "for_each" in body for body in bodies)


class Servers:
    """Providers that serve one command of terraform; a context manager.

    A provider that can't serve is left out, and terraform starts it itself.

    Args:
        providers: what is to be served.
        environ: the whole environment of terraform, which is theirs, too.
        directory: terraform's working directory, from which paths in the configuration start.

    Attributes:
        variables: what terraform's environment needs, once they are started.
    """

    def __init__(self, providers: Iterable[Provider], environ: Mapping[str, str], directory: Path) -> None:
        self.variables: dict[str, str] = {}
        self._providers = list(providers)
        self._environ, self._directory = dict(environ), directory
        self._running: list[_Running] = []

    def __enter__(self) -> "Servers":
        try:
            for provider in self._providers:
                with contextlib.suppress(OSError):
                    self._running.append(_Running(provider, self._environ, self._directory))
            deadline = clock.monotonic() + _STARTED_WITHIN
            served = {one.provider.address: one.announced(deadline) for one in self._running}
            found = {address: announced for address, announced in served.items() if announced}
            self.variables = {VARIABLE: json.dumps(found)} if found else {}
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        while self._running:
            self._running.pop().end()

    def last_words(self) -> str:
        """What those have printed that have ended by themselves, as after a crash; may be empty."""
        return "".join(one.printed() for one in self._running if one.process.poll() is not None)


class _Running:
    """A provider that was started."""

    def __init__(self, provider: Provider, environ: Mapping[str, str], directory: Path) -> None:
        self.provider = provider
        # A file, not a pipe: a full pipe would block it.
        self._output = tempfile.TemporaryFile(dir=environ.get("TMPDIR"))  # noqa: SIM115 (`end` closes it)
        try:
            self.process = children.start(
                [provider.executable, "-debug"],
                at_our_end=signal.SIGKILL,
                cwd=directory,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
        except BaseException:
            self._output.close()
            raise

    def printed(self) -> str:
        """All that it has printed."""
        fd = self._output.fileno()
        return os.pread(fd, os.fstat(fd).st_size, 0).decode("utf-8", "replace")

    def announced(self, deadline: float) -> dict[str, Any] | None:
        """How it can be reached, once it has printed that; None if it doesn't."""
        while True:
            ended = self.process.poll() is not None
            if found := _ANNOUNCED.search(self.printed()):
                with contextlib.suppress(ValueError):
                    return dict(*json.loads(found[1]).values())
                return None
            if ended or clock.monotonic() > deadline:
                return None
            interrupts.pause(_LOOK)

    def end(self) -> None:
        """End it, with all that it has started. Terraform has ended, so there is nothing to finish."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._output.close()
