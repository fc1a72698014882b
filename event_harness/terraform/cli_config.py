"""Terraform's CLI configuration: a file that says, above all, where providers come from."""

import os
from collections.abc import Mapping
from pathlib import Path

from event_harness.machine.cache import write_atomically


def users_own(environ: Mapping[str, str]) -> Path | None:
    """The user's own CLI configuration: registry credentials and company mirrors are in it."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    path = Path(named) if named else Path(environ.get("HOME", os.path.expanduser("~"))) / ".terraformrc"
    return path.absolute() if path.is_file() else None


def for_registry(cache: Path) -> Path:
    """For the registry: each deployment has a data directory of its own, but providers are fetched once."""
    plugins, config = cache / "plugins", cache / "registry.tfrc"
    plugins.mkdir(exist_ok=True)
    if not config.exists():
        write_atomically(
            config,
            "disable_checkpoint = true\n"
            f"plugin_cache_dir   = {_quoted(plugins)}\n\n"
            "# Runs start without a lock file, and the cache is not used without one unless this is so.\n"
            "plugin_cache_may_break_dependency_lock_file = true\n",
        )
    return config


def for_mirror(mirror: Path) -> Path:
    """For the mirror: everything comes from there."""
    config = mirror / "cli.tfrc"
    if not config.exists():
        write_atomically(
            config,
            "disable_checkpoint = true\n\n"
            f"provider_installation {{\n  filesystem_mirror {{\n    path = {_quoted(mirror)}\n  }}\n}}\n",
        )
    return config


def _quoted(path: Path) -> str:
    return '"{}"'.format(str(path).replace("\\", "\\\\").replace('"', '\\"'))
