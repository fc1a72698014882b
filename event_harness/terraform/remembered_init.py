"""What `terraform init` has left, kept so that the next deployment of the same configuration needs no init.

Where all modules are local and all providers are links, init leaves a few small texts and those links. They
depend on what init reads: the configuration, the lock file, Terraform's settings and its environment. If none
of that has changed, init would leave the same again.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from event_harness.errors import ConfigurationError
from event_harness.machine import clock
from event_harness.machine.cache import write_atomically
from event_harness.terraform.configuration import LOCK, Configuration
from event_harness.terraform.toolchain import Toolchain

_BACKEND, _MODULES, _PROVIDERS = "terraform.tfstate", "modules/modules.json", "providers"
_KEPT = 7 * 86_400  # seconds
_FORM = "1"  # of what is kept; another one makes all that was kept before of no use


class RememberedInit:
    """The memory of one configuration; make one before each init.

    Args:
        store: the directory of all such memories: a JSON file for each, named by a digest of what init reads.
        configuration: the root, in the deployment's own copy.
        data_dir: the deployment's TF_DATA_DIR.
        state: where the local backend keeps the state.
        settings: what else init depends on: Terraform's version, its settings and its environment.
        one_version: whether there is one version of each provider; else the lock file must name the versions.
        tofu: whether OpenTofu runs it.
    """

    def __init__(
        self,
        store: Path,
        *,
        configuration: Path,
        data_dir: Path,
        state: Path,
        settings: Iterable[str],
        one_version: bool,
        tofu: bool = False,
    ) -> None:
        self._store, self._configuration, self._data_dir = store, configuration, data_dir
        self._state, self._settings = state, list(settings)
        self._one_version, self._tofu = one_version, tofu
        self._lock = self._read_lock()

    @classmethod
    def of(
        cls,
        tools: Toolchain,
        environ: Mapping[str, str],
        *,
        store: Path,
        configuration: Path,
        data_dir: Path,
        state: Path,
    ) -> "RememberedInit | None":
        """The memory of a configuration for a Terraform and its environment; None if there can't be one."""
        try:
            cli_config = tools.cli_config.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None  # terraform tells it in its own words
        names = [name for name in sorted(environ) if name == "HOME" or name.startswith("TF_")]
        variables = [f"{name}={environ[name]}" for name in names if name != "TF_WORKSPACE"]
        return cls(
            store,
            configuration=configuration,
            data_dir=data_dir,
            state=state,
            settings=[str(tools.binary), tools.version, tools.providers, cli_config, *variables],
            one_version=tools.old_provider,
            tofu=tools.kind == "tofu",
        )

    def restore(self) -> bool:
        """Leave what init has left the last time; false if it may leave something else now."""
        try:
            if not self._file:
                return False
            known = json.loads(self._file.read_text(encoding="utf-8"))
            if not all(Path(target).is_dir() for target in known["links"].values()):
                return False
            self._leave(known)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        return True

    def keep(self) -> None:
        """Remember what init has just left, unless it holds more than links and small texts."""
        if not self._file or not (self._one_version or self._read_lock() == self._lock):
            return  # where init changes the lock file, the next one may find newer providers
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            links = dict(self._links())
            backend = json.loads((self._data_dir / _BACKEND).read_text(encoding="utf-8"))
            if backend["backend"]["config"]["path"] != str(self._state):
                return
            left = {"lock": self._read_lock(), "backend": backend, "modules": self._modules(), "links": links}
            self._store.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps(left))
            for old in self._store.iterdir():
                if clock.timestamp() - old.stat().st_mtime > _KEPT:
                    old.unlink(missing_ok=True)

    def forget(self) -> None:
        """Let the next deployment run init."""
        with contextlib.suppress(OSError):
            if self._file:
                self._file.unlink(missing_ok=True)

    @cached_property
    def _file(self) -> Path | None:
        """The file of this memory; None if it isn't known whether init would leave the same again."""
        if not (self._one_version or self._lock):
            return None
        try:
            tree = Configuration.read(self._configuration, tofu=self._tofu).tree()
            if any(one.broken or not all(map(_is_local, one.sources)) for one in tree):
                return None
            parts = [_FORM, *self._settings, self._lock or "", str(self._one_version)]
            for one in tree:
                parts.append(os.path.relpath(one.directory, self._configuration))
                for file in one.contents:
                    parts += [file.name, hashlib.sha256(file.read_bytes()).hexdigest()]
        except (OSError, ConfigurationError):
            return None
        read = json.dumps(parts).encode("utf-8", "surrogateescape")
        return self._store / f"{hashlib.sha256(read).hexdigest()}.json"

    def _leave(self, known: Mapping[str, Any]) -> None:
        backend = known["backend"]
        backend["backend"]["config"]["path"] = str(self._state)
        providers = self._data_dir / _PROVIDERS
        shutil.rmtree(providers, ignore_errors=True)
        for name, target in known["links"].items():
            (providers / name).parent.mkdir(parents=True, exist_ok=True)
            (providers / name).symlink_to(target, target_is_directory=True)
        modules = self._data_dir / _MODULES
        modules.unlink(missing_ok=True)
        if known["modules"] is not None:
            modules.parent.mkdir(parents=True, exist_ok=True)
            modules.write_text(known["modules"], encoding="utf-8")
        if known["lock"] is not None:
            (self._configuration / LOCK).write_text(known["lock"], encoding="utf-8")
        self._data_dir.mkdir(parents=True, exist_ok=True)
        (self._data_dir / _BACKEND).write_text(json.dumps(backend, indent=2), encoding="utf-8")

    def _links(self) -> Iterable[tuple[str, str]]:
        """The links to the providers.

        Raises:
            ValueError: there is a file, so the provider is no link.
        """
        providers = self._data_dir / _PROVIDERS
        for above, directories, files in os.walk(providers):
            if files:
                raise ValueError(f"a provider was copied to {above}")
            for path in (Path(above, name) for name in directories):
                if path.is_symlink():
                    target = os.path.abspath(path.parent / path.readlink())
                    yield str(path.relative_to(providers)), target

    def _modules(self) -> str | None:
        file = self._data_dir / _MODULES
        return file.read_text(encoding="utf-8") if file.exists() else None

    def _read_lock(self) -> str | None:
        try:
            return (self._configuration / LOCK).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None


def _is_local(source: str) -> bool:
    return source.startswith(("./", "../"))
