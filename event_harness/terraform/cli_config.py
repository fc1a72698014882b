"""Terraform's CLI configuration: the file that says where providers come from."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from event_harness.machine.cache import write_atomically

REGISTRY = "registry.tfrc"  # the harness's own file for the registry


def users_own(environ: Mapping[str, str]) -> Path | None:
    """The user's own CLI configuration, with registry credentials or a company's mirror; None if none."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    path = Path(named) if named else Path(environ.get("HOME", os.path.expanduser("~"))) / ".terraformrc"
    return path.absolute() if path.is_file() else None


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


def for_mirror(mirror: Path) -> Path:
    """The CLI configuration for the mirror: Terraform takes all providers from there."""
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
