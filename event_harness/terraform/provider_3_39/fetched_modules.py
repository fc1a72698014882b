"""What `terraform init` has fetched: modules from git, a registry or an absolute path, adapted to the deployment.

Modules beside the root are copied with it and overridden there (see `overrides`). Those that it names in any
other way are in TF_DATA_DIR only after init, or (an absolute path) just linked from there.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from event_harness.terraform.configuration import NEVER_COPIED, Configuration
from event_harness.terraform.overrides import override_runtimes


def adapt_fetched_modules(data_dir: Path) -> None:
    """Override the Lambda runtimes of fetched modules, for the old provider; again does no harm.

    Args:
        data_dir: the TF_DATA_DIR of a root of which `terraform init` was run.
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
    """What a link leads to is somebody's own directory: nothing may be written there."""
    package = link.resolve()
    link.unlink()
    shutil.copytree(package, link, ignore=shutil.ignore_patterns(*NEVER_COPIED))
    for module in modules:
        directory = Path(module["Dir"])
        if directory.is_relative_to(package):
            module["Dir"] = str(link / directory.relative_to(package))
