"""What a deployment's view leaves out of the directories that it copies; the same later, without the view."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from event_harness.terraform import copying, naming
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.generated import GENERATED

# Left out beside the root: a deployment has a state of its own.
_STATES = re.compile(r"(terraform\.tfstate(\..*)?|errored\.tfstate|\.terraform\.tfstate\.lock\.info)$")


@dataclass(frozen=True)
class LeftOut:
    """Tells what is left out of a project.

    Attributes:
        top: the project's top.
        root: the Terraform root.
        modules: the directories of the configuration's modules, the root among them.
        never: directories that are always left out.
        exclude: patterns of names, or of paths below the top, besides `copying.LEFT_OUT`.
        include: the same for what is copied although it would be left out.
    """

    top: str
    root: str
    modules: tuple[str, ...]
    never: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()

    def __call__(self, path: Path) -> bool:
        """Whether a file or directory of the project is left out."""
        return self.leaves(path.name, str(path), path.is_dir() and not path.is_symlink())

    def leaves(self, name: str, path: str, is_directory: bool) -> bool:
        """Whether an entry is neither copied nor linked."""
        if name in GENERATED or (path in self._never and path not in self.needed):
            return True
        if path in self.needed or (self._has_patterns and self.is_included(path)):
            return False
        if _STATES.match(name) and os.path.dirname(path) == self.root:
            return True
        if self._has_patterns and (self.excludes(name) or self.excludes(self._below_top(path))):
            return True
        if name in copying.TERRAFORMS_OWN and os.path.basename(os.path.dirname(path)) == copying.TERRAFORM:
            return True
        if self.by_default(name):
            return name == ".event-harness" or not self.is_wanted(name)
        if not is_directory or not os.path.isfile(os.path.join(path, "pyvenv.cfg")):
            return False
        return not self.is_wanted(name)

    def is_wanted(self, name: str) -> bool:
        """Whether the configuration names a directory that is left out elsewhere."""
        return self._names.want(name)

    def is_included(self, path: str) -> bool:
        """Whether the user wants a path to be copied."""
        return self._included(os.path.basename(path)) or self._included(self._below_top(path))

    def lies_inside(self, target: Path) -> bool:
        """Whether what a link leads to is in the project, and no part of its path is left out."""
        return target.is_relative_to(self.top) and not any(
            (self.by_default(part) and not self._names.want(part)) or self.excludes(part)
            for part in target.relative_to(self.top).parts
        )

    def _below_top(self, path: str) -> str:
        """The path from the top; asked for each file, so most are cut rather than computed."""
        start = f"{self.top}{os.sep}"
        return path[len(start) :] if path.startswith(start) else os.path.relpath(path, self.top)

    @cached_property
    def needed(self) -> frozenset[str]:
        """The directories of the configuration and those above: they are never left out."""
        modules = [Path(module) for module in self.modules]
        return frozenset(str(above) for module in modules for above in (module, *module.parents))

    @cached_property
    def excludes(self) -> copying.Matcher:
        """Tells whether a name or path matches `exclude`."""
        return copying.matcher(self.exclude)

    @cached_property
    def by_default(self) -> copying.Matcher:
        """Tells whether a name is left out everywhere, unless the configuration names it."""
        return copying.matcher(copying.LEFT_OUT)

    @cached_property
    def _included(self) -> copying.Matcher:
        return copying.matcher(self.include)

    @cached_property
    def _never(self) -> frozenset[str]:
        return frozenset(self.never)

    @cached_property
    def _has_patterns(self) -> bool:
        return bool(self.exclude or self.include)

    @cached_property
    def _names(self) -> naming.Names:
        return naming.Names(
            Configuration(directory, {}) for directory in map(Path, self.modules) if directory.is_dir()
        )
