"""The modules of a deployment that it may write to, after `terraform init`."""

import json
import os
import re
from pathlib import Path

from event_harness.terraform.fetched import own_copies

_KEY = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')


def directory_of(address: str, configuration: Path, data_dir: Path) -> Path:
    """The directory of a module by its address, such as `module.a["b"].module.c`; of the root by "".

    Raises:
        KeyError: init has recorded no such module.
    """
    key = ".".join(re.findall(r"module\.([^.\[]+)", _KEY.sub("", address)))
    if not key:
        return configuration
    manifest = json.loads((data_dir / "modules" / "modules.json").read_text(encoding="utf-8"))
    found = {module["Key"]: module["Dir"] for module in manifest["Modules"]}
    return Path(os.path.normpath(configuration / found[key]))


def directories(configuration: Path, data_dir: Path) -> list[Path]:
    """The directories of the root and of each module that the deployment owns, the root first.

    A directory that a link leads to is the user's own, so it isn't among them.

    Args:
        configuration: the root, in the deployment's own copy.
        data_dir: its TF_DATA_DIR, beside the copy, after `terraform init`.
    """
    own_copies(data_dir, configuration)
    ours = data_dir.resolve().parent
    found = {configuration.resolve(): None}
    manifest = data_dir / "modules" / "modules.json"
    if manifest.exists():
        for module in json.loads(manifest.read_text(encoding="utf-8"))["Modules"]:
            directory = (configuration / module["Dir"]).resolve()
            if directory.is_dir() and directory.is_relative_to(ours):
                found[directory] = None
    return list(found)
