"""The modules that `terraform init` has fetched from git, a registry or an absolute path.

After init, TF_DATA_DIR holds a copy of each, or a link to it if its source is an absolute path.
"""

import json
import os
from pathlib import Path
from typing import Any

from event_harness.terraform import copying

_ORIGINALS = "originals.json"  # in TF_DATA_DIR


def own_copies(data_dir: Path, root: Path) -> list[Path]:
    """Replace each link by a copy, since a module may write into its own directory. It may be called again.

    Args:
        data_dir: the TF_DATA_DIR of a root, after `terraform init`.
        root: the root, where the paths of its modules begin.

    Returns:
        The directories of all fetched modules.
    """
    manifest = data_dir / "modules" / "modules.json"
    if not manifest.exists():
        return []
    content = json.loads(manifest.read_text(encoding="utf-8"))
    found = originals(data_dir)
    for link in list(manifest.parent.iterdir()):
        if link.is_symlink():
            found[link] = link.resolve()
            _replace_by_copy(link, content["Modules"])
    texts = {str(link): str(original) for link, original in found.items()}
    (data_dir / _ORIGINALS).write_text(json.dumps(texts), encoding="utf-8")
    manifest.write_text(json.dumps(content), encoding="utf-8")
    directories = dict.fromkeys(
        Path(os.path.normpath(root.resolve() / module["Dir"])) for module in content["Modules"]
    )
    return [directory for directory in directories if directory.is_relative_to(data_dir.resolve())]


def originals(data_dir: Path) -> dict[Path, Path]:
    """By the place of its copy, the directory that each module with an absolute path as its source came from.

    Args:
        data_dir: the TF_DATA_DIR of a root, after `own_copies`.
    """
    try:
        texts = json.loads((data_dir / _ORIGINALS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {Path(link): Path(original) for link, original in texts.items()}


def _replace_by_copy(link: Path, modules: list[dict[str, Any]]) -> None:
    package = link.resolve()
    link.unlink()
    copying.copy_directory(package, link)
    for module in modules:
        directory = Path(module["Dir"])
        if directory.is_relative_to(package):
            module["Dir"] = str(link / directory.relative_to(package))
