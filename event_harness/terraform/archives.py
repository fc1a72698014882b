"""Which directory each archive of `archive_file` was made from, as a state says."""

import json
from pathlib import Path


def made_from(state: Path, configuration: Path, root: Path) -> dict[str, Path]:
    """The directories in the project, by the SHA-256 of their archives in base64.

    Args:
        state: the state file of a deployment.
        configuration: the Terraform root of the deployment's view.
        root: the Terraform root in the project.

    Returns:
        Nothing of a state that can't be read.
    """
    try:
        resources = json.loads(state.read_text(encoding="utf-8"))["resources"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found = {}
    for one in resources:
        if one.get("type") != "archive_file":
            continue
        for instance in one.get("instances", []):
            attributes = instance.get("attributes") or {}
            digest = attributes.get("output_base64sha256")
            directory, file = attributes.get("source_dir"), attributes.get("source_file")
            source = Path(directory) if directory else Path(file).parent if file else None
            if digest and source is not None:
                found[str(digest)] = _in_project(source, configuration, root)
    return found


def _in_project(source: Path, configuration: Path, root: Path) -> Path:
    inside = (configuration / source).resolve()
    for view, project in zip((configuration, *configuration.parents), (root, *root.parents), strict=False):
        if inside.is_relative_to(view.resolve()):
            return project / inside.relative_to(view.resolve())
    return inside
