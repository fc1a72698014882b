"""Terraform's CLI configuration: the file that says where providers come from."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from event_harness.machine import clock
from event_harness.machine.cache import write_atomically
from event_harness.terraform import hcl

_OF_MODULES = ("host", "credentials", "credentials_helper")
_KEPT = 7 * 86_400  # seconds
REGISTRY = "registry.tfrc"  # the harness's own file for the registry


def users_own(environ: Mapping[str, str], kind: str = "terraform") -> Path | None:
    """The user's own CLI configuration, with registry credentials or a company's mirror; None if none.

    Args:
        environ: the environment.
        kind: "terraform", or "tofu", which looks for `.tofurc` first.
    """
    named, home = environ.get("TF_CLI_CONFIG_FILE"), Path(environ.get("HOME", os.path.expanduser("~")))
    names = [".tofurc", ".terraformrc"] if kind == "tofu" else [".terraformrc"]
    paths = [Path(named)] if named else [home / name for name in names]
    return next((path.absolute() for path in paths if path.is_file()), None)


def names_installation(file: Path) -> bool:
    """Whether a CLI configuration says where providers are installed from."""
    try:
        return bool(
            re.search(r"^\s*\"?provider_installation\b", file.read_text(encoding="utf-8"), re.MULTILINE)
        )
    except (OSError, UnicodeDecodeError):
        return False


def for_registry(cache: Path) -> Path:
    """The CLI configuration for the registry. All deployments share one plugin cache."""
    plugins, config = cache / "plugins", cache / REGISTRY
    plugins.mkdir(exist_ok=True)
    if not config.exists():
        write_atomically(
            config,
            "disable_checkpoint = true\n"
            f"plugin_cache_dir   = {_quoted(plugins)}\n\n"
            "# Without a lock file Terraform uses the cache only with this setting.\n"
            "plugin_cache_may_break_dependency_lock_file = true\n",
        )
    return config


def for_mirror(mirror: Path, own: Path | None = None) -> Path:
    """The CLI configuration for the mirror: Terraform takes all providers from there.

    Args:
        mirror: the directory of the mirror.
        own: the user's own CLI configuration. What it says of the registries of modules still holds.
    """
    text = (
        "disable_checkpoint = true\n\n"
        f"provider_installation {{\n  filesystem_mirror {{\n    path = {_quoted(mirror)}\n  }}\n}}\n"
    )
    registries = "".join(f"\n{block}\n" for block in _about_modules(own)) if own else ""
    if not registries:
        config = mirror / "cli.tfrc"
        if not config.exists():
            write_atomically(config, text)
        return config
    _delete_old(mirror)
    digest = hashlib.sha256(registries.encode()).hexdigest()[:12]
    config = mirror / f"cli-{digest}.tfrc"
    write_atomically(config, text + registries, mode=0o600)  # it may hold tokens
    return config


def _about_modules(own: Path) -> Iterator[str]:
    """The blocks about registries of modules in a CLI configuration; none of one that can't be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError, hcl.UnreadableError):
        text = own.read_text(encoding="utf-8-sig")
        found = hcl.parsed(text)
        for kind in _OF_MODULES:
            for labels, _ in hcl.labelled(found.get(kind, {}), 1):
                yield from hcl.block_texts(text, kind, *labels)


def _delete_old(mirror: Path) -> None:
    """Delete what was written for the user's own configuration and isn't used any more."""
    for file in mirror.glob("cli-*.tfrc"):
        with contextlib.suppress(OSError):  # another process did it
            if clock.timestamp() - file.stat().st_mtime > _KEPT:
                file.unlink()


def _quoted(path: Path) -> str:
    return '"{}"'.format(str(path).replace("\\", "\\\\").replace('"', '\\"'))
