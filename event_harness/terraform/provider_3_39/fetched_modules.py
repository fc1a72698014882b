"""Adapts the modules that `terraform init` has fetched from git, a registry or an absolute path.

`overrides` adapts the modules beside the root. After init, TF_DATA_DIR holds a copy of each other module, or
a link to it if its source is an absolute path.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from event_harness.terraform.configuration import NEVER_COPIED, Configuration
from event_harness.terraform.runtimes import override_runtimes


def adapt_fetched_modules(data_dir: Path) -> None:
    """Override the Lambda runtimes of fetched modules. It may be called again.

    Args:
        data_dir: the TF_DATA_DIR of a root, after `terraform init`.
    """
    manifest = data_dir / "modules" / "modules.json"
    if not manifest.exists():
        return
    content = json.loads(manifest.read_text(encoding="utf-8"))
    for link in manifest.parent.iterdir():
        if link.is_symlink():
            _replace_by_copy(link, content["Modules"])
    manifest.write_text(json.dumps(content), encoding="utf-8")
    for directory in {Path(module["Dir"]) for module in content["Modules"]}:
        if directory.is_relative_to(data_dir):
            override_runtimes(Configuration.read(directory))


def _replace_by_copy(link: Path, modules: list[dict[str, Any]]) -> None:
    """Copy the user's own directory, which a link leads to: nothing may be written there."""
    package = link.resolve()
    link.unlink()
    shutil.copytree(package, link, ignore=shutil.ignore_patterns(*NEVER_COPIED))
    for module in modules:
        directory = Path(module["Dir"])
        if directory.is_relative_to(package):
            module["Dir"] = str(link / directory.relative_to(package))
