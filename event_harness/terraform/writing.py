"""Where a configuration may write files while it is planned and applied.

Few types write: `archive_file` and `local_file` name the file in an argument. What runs a program, or belongs
to a provider that isn't known here, may write anywhere.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from event_harness.terraform.configuration import Configuration

# The argument that names the file, by what writes it.
_WRITERS = {
    ("data", "archive_file"): "output_path",
    ("resource", "archive_file"): "output_path",
    ("resource", "local_file"): "filename",
    ("resource", "local_sensitive_file"): "filename",
}
_READERS = {("data", "local_file"), ("data", "local_sensitive_file"), ("data", "template_file")}
# Providers whose other types write no files.
_WRITE_NOTHING = frozenset(
    ("archive", "aws", "awscc", "cloudinit", "dns", "http", "null", "random", "terraform", "time", "tls")
)
_KINDS = ("resource", "data", "ephemeral", "action", "list")
_PLACES = re.compile(r"\$\{\s*path\.(module|root|cwd)\s*\}")
_VALUE = re.compile(r"\$\{[^{}]*\}")
_ANY = "\0"  # stands for a value that isn't known
_PLAIN = re.compile(r"(\$\{[^{}]*\}|[^${}\"()\[\]?\n])+")
_REFERENCE = re.compile(r"[a-z_]\w*(\.[\w*-]+|\[[^\]]*\])+")
_LOCAL = re.compile(r"(?:\$\{\s*)?local\.([\w-]+)(?:\s*\})?")
_DEPTH = 5  # of a local value that is made of another one


@dataclass(frozen=True)
class Place:
    """A path that an argument names, as far as its expression says it.

    Attributes:
        path: the whole path, or the directory that is known; None if nothing is.
        name: a regular expression of the file's name; None if the whole path is known.
    """

    path: Path | None
    name: str | None

    @property
    def directory(self) -> Path | None:
        """The directory that is known."""
        return self.path.parent if self.path and self.name is None else self.path


@dataclass(frozen=True)
class Writes:
    """All that some configurations may write.

    Attributes:
        anywhere: whether they may write where they don't say.
        places: the files that they name.
        archived: the directories that they put into archives.
    """

    anywhere: bool
    places: tuple[Place, ...]
    archived: tuple[Place, ...]

    @cached_property
    def directories(self) -> frozenset[Path]:
        """Where they write, as far as that is known."""
        return frozenset(place.directory for place in self.places if place.directory)

    def spare(self, directory: Path) -> bool:
        """Whether nothing is written in a directory, and no archive shows whether it is a link."""
        if self.anywhere or any(place.name is not None for place in self.places):
            return False
        return not any(one.is_relative_to(directory) for one in self.directories) and not any(
            one.path is None or one.path.is_relative_to(directory) or directory.is_relative_to(one.path)
            for one in self.archived
        )

    def reach(self, path: str) -> bool:
        """Whether an existing file may be overwritten."""
        if self.anywhere or path in self._files:
            return True
        return bool(self._names and self._names.fullmatch(os.path.basename(path)))

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(str(place.path) for place in self.places if place.name is None)

    @cached_property
    def _names(self) -> "re.Pattern[str] | None":
        names = [place.name for place in self.places if place.name is not None]
        return re.compile("|".join(names), re.IGNORECASE | re.DOTALL) if names else None


def of(configurations: Iterable[Configuration], root: Path) -> Writes:
    """What configurations may write.

    Args:
        configurations: the root and its modules.
        root: the directory of the root, where Terraform runs.
    """
    anywhere, places, archived = False, [], []
    for one in configurations:
        anywhere = anywhere or bool(one.broken)
        for kind in _KINDS:
            for (name, _), body in one.blocks(kind, 2):
                argument = _WRITERS.get((kind, name))
                if argument and argument in body:
                    places.append(_place(body[argument], one, root))
                if argument and "source_dir" in body:
                    archived.append(_place(body["source_dir"], one, root))
                anywhere = anywhere or "provisioner" in body or not (argument or _is_harmless(kind, name))
    return Writes(anywhere, tuple(places), tuple(archived))


def _is_harmless(kind: str, name: str) -> bool:
    return (kind, name) in _READERS or name.partition("_")[0] in _WRITE_NOTHING


def _place(text: Any, configuration: Configuration, root: Path) -> Place:
    """The place that an argument names. Of an expression the parser tells the text only."""
    template = _resolved(str(text), configuration)
    if not _PLAIN.fullmatch(template) or _is_reference(template):
        return Place(None, ".*")
    places = {"module": configuration.directory, "root": root, "cwd": root}
    template = _PLACES.sub(lambda match: str(places[match[1]]), template)
    template = _VALUE.sub(_ANY, template)
    if _ANY not in template:
        return Place(Path(os.path.realpath(root / template)), None)
    known, slash, _ = template.partition(_ANY)[0].rpartition("/")
    # A value may hold a slash, too, so only what follows the last one is certain.
    name = template.rpartition("/")[2]
    name = re.escape(name) if _ANY not in name else ".*" + re.escape(name.rpartition(_ANY)[2])
    return Place(Path(os.path.realpath(root / known)) if slash else None, name)


def _resolved(text: str, configuration: Configuration) -> str:
    """A text in which a whole local value is replaced by what it is."""
    values: Mapping[str, Any] = {
        name: value for _, body in configuration.blocks("locals", 0) for name, value in body.items()
    }
    for _ in range(_DEPTH):
        match = _LOCAL.fullmatch(text.strip())
        if match is None or not isinstance(values.get(match[1]), str):
            break
        text = values[match[1]]
    return text


def _is_reference(text: str) -> bool:
    """Whether a text is `var.x` or `aws_x.y.z`; "lambda.zip" could be one, but nothing has such a name."""
    if not _REFERENCE.fullmatch(text.strip()):
        return False
    first, *rest = re.split(r"[.\[]", text.strip())
    return len(rest) > 1 or first in ("var", "local", "each", "count", "self", "path", "module", "data")
