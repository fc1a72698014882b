"""Where the files of a deployment's view come from: from the project, or from the original of a module."""

import os
from collections.abc import Mapping
from pathlib import Path

from event_harness.terraform.deployment_view import View
from event_harness.terraform.left_out import LeftOut


class Origins:
    """Leads from a path in a view to the file of the project, and back.

    Args:
        view: the view.
        directory: the deployment's directory, which holds the view and TF_DATA_DIR.
        modules: by the place of its copy, the original of each module that `init` has fetched from a
            directory.

    Attributes:
        directory: the deployment's directory.
    """

    def __init__(self, view: View, directory: Path, modules: Mapping[Path, Path]) -> None:
        self._view = view
        self.directory = directory.resolve()
        self._modules = modules
        self._changed_at = {Path(one.place): one.changed_at for one in view.files}

    @property
    def left_out(self) -> LeftOut:
        """What the view leaves out."""
        return self._view.left_out

    def copy_of(self, text: str) -> Path:
        """The absolute path of what an argument names; Terraform works in the root."""
        return Path(os.path.normpath(self._view.root / text))

    def source_of(self, copy: Path) -> Path | None:
        """The file or directory of the project; None if it has no original, as a module from a repository."""
        for place, original in self._modules.items():
            if copy.is_relative_to(place):
                return Path(os.path.normpath(original / copy.relative_to(place)))
        if copy.is_relative_to(self.directory / "data"):
            return None
        if copy.is_relative_to(self.directory):
            return Path(os.path.normpath(self._view.source / os.path.relpath(copy, self._view.root)))
        return copy

    def is_copied(self, copy: Path) -> bool:
        """Whether a directory of the view is a copy, and no link to the project's own."""
        return copy.resolve().is_relative_to(self.directory)

    def is_untouched(self, copy: Path) -> bool:
        """Whether a file is as it was copied: no command has written it since."""
        if not copy.resolve().is_relative_to(self.directory):
            return True  # the project's own, by a link
        source = self.source_of(copy)
        try:
            if source is None or copy.is_symlink() or copy.samefile(source):
                return source is not None  # a shared file is the project's own
            changed_at = self._changed_at.get(copy) or source.stat().st_mtime_ns
            return copy.stat().st_mtime_ns == changed_at
        except OSError:
            return False

    def named(self, template: str, module: Path) -> Path | None:
        """The file of the view that a text like `${path.module}/app.py` names; None if there is none.

        Args:
            template: the text.
            module: the directory in the view of the module where it stands.
        """
        for name, value in (("module", module), ("root", self._view.root), ("cwd", self._view.root)):
            template = template.replace(f"${{path.{name}}}", str(value))
        path = self.copy_of(template)
        return path if path.is_file() else None
