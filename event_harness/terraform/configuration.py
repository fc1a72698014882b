"""A Terraform configuration: what it declares, and a copy of it for one deployment.

A deployment works on a copy: parallel deployments never meet, the user's checkout stays clean, and a deployment can still be
destroyed when the checkout has gone on. Copied is what the configuration needs and nothing else: the files
of the root, of each local module, and whatever they name below `path.module`, `path.root` or `path.cwd`.
"""

import filecmp
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

import hcl2

from event_harness.errors import ConfigurationError

# Files that overrides.py generates; a copy starts without them.
OVERRIDE = "event_harness_override.tf.json"
IMPLICIT_PROVIDER = "event_harness_provider.tf.json"
LOCK = ".terraform.lock.hcl"
_COPIED_SUFFIXES = (".tf", ".tf.json", ".tfvars", ".tfvars.json", ".tofu", ".tftpl", ".hcl")
NEVER_COPIED = (".git", ".terraform", ".event-harness", ".venv*", "node_modules", "__pycache__", ".build")
_PATH_REFERENCE = re.compile(r"\$\{path\.(module|root|cwd)\}/([^\"$*{}]*)")


@dataclass(frozen=True)
class Variable:
    """An input variable; type and default are Terraform expressions, without a default it must be given."""

    name: str
    type: str
    description: str
    default: str | None
    sensitive: bool = False


@dataclass(frozen=True)
class Configuration:
    """What one directory of *.tf and *.tf.json files declares.

    Attributes:
        directory: where it lies.
        blocks: its blocks by kind, as python-hcl2 reads them.
        references: the files and directories that its expressions name.
    """

    directory: Path
    blocks: Mapping[str, list[Any]]
    references: tuple[Path, ...] = ()

    @classmethod
    def read(cls, directory: Path) -> "Configuration":
        """Read a directory.

        Raises:
            ConfigurationError: it isn't a directory, holds no Terraform, or a file can't be read or parsed.
        """
        if not directory.is_dir():
            raise ConfigurationError(f"{directory} is no directory; name the Terraform root (harness_root)")
        files = sorted(p for p in directory.iterdir() if p.name.endswith((".tf", ".tf.json")) and p.is_file())
        files = [p for p in files if p.name not in (OVERRIDE, IMPLICIT_PROVIDER)]
        if not files:
            raise ConfigurationError(f"{directory} holds no *.tf; name the Terraform root (harness_root)")
        blocks: dict[str, list[Any]] = {}
        references: list[Path] = []
        for file in files:
            text = _text(file)
            for kind, bodies in _parse(file, text).items():
                blocks.setdefault(kind, []).extend(bodies if isinstance(bodies, list) else [bodies])
            references += [_static(directory, match.group(2)) for match in _PATH_REFERENCE.finditer(text)]
        found = dict.fromkeys(p for p in references if _is_source(p, directory))
        return cls(directory, blocks, tuple(found))

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The input variables, by name, in order of name."""
        return {
            name: Variable(
                name,
                expression(body.get("type", "any")),
                literal(body.get("description", "")),
                expression(body["default"]) if "default" in body else None,
                sensitive=body.get("sensitive") is True,
            )
            for name, body in sorted(self._labelled("variable").items())
        }

    @cached_property
    def outputs(self) -> frozenset[str]:
        """Names of the outputs."""
        return frozenset(self._labelled("output"))

    @cached_property
    def providers(self) -> list[Mapping[str, Any]]:
        """The `provider "aws"` blocks."""
        return [
            body
            for block in self.blocks.get("provider", [])
            for name, value in block.items()
            if literal(name) == "aws"
            for body in (value if isinstance(value, list) else [value])
        ]

    @cached_property
    def functions(self) -> Mapping[str, Any]:
        """The `aws_lambda_function` resources, by name."""
        return {
            literal(name): body
            for kinds in self.blocks.get("resource", [])
            for kind, bodies in kinds.items()
            if literal(kind) == "aws_lambda_function"
            for name, body in bodies.items()
            if not name.startswith("__")
        }

    @cached_property
    def local_modules(self) -> list[Path]:
        """Directories of the modules that it calls by a relative path."""
        sources = [literal(body.get("source", "")) for body in self._labelled("module").values()]
        local = [s for s in sources if s.startswith(("./", "../"))]
        return list(dict.fromkeys(Path(os.path.normpath(self.directory / source)) for source in local))

    def tree(self) -> "list[Configuration]":
        """This configuration and all local modules below it, each once, the root first."""
        found = {self.directory: self}
        waiting = list(self.local_modules)
        while waiting:
            directory = waiting.pop()
            if directory not in found:
                found[directory] = Configuration.read(directory)
                waiting += found[directory].local_modules
        return list(found.values())

    def _labelled(self, kind: str) -> dict[str, Any]:
        return {
            literal(name): body
            for block in self.blocks.get(kind, [])
            for name, body in block.items()
            if not name.startswith("__")
        }


def copy(root: Path, into: Path, *, include: Iterable[Path] = ()) -> Path:
    """Copy what a configuration needs below `into`, its relative paths kept, and return the copy's root.

    Args:
        root: the Terraform root.
        into: an empty or missing directory.
        include: further files or directories that the configuration needs but doesn't name by `path.*`.
    """
    root = root.resolve()
    tree = Configuration.read(root).tree()
    wanted = [c.directory for c in tree]
    extra = [p for c in tree for p in c.references] + [p.resolve() for p in include]
    base = Path(os.path.commonpath([*wanted, *extra]))
    for configuration in tree:
        target = into / configuration.directory.relative_to(base)
        target.mkdir(parents=True, exist_ok=True)
        for file in configuration.directory.iterdir():
            if file.name in (OVERRIDE, IMPLICIT_PROVIDER):
                continue
            if file.is_file() and file.name.endswith(_COPIED_SUFFIXES):
                shutil.copy2(file, target / file.name)
    for path in extra:
        target = into / path.relative_to(base)
        if path.is_dir():
            # A directory that holds the whole configuration names it rather than its content.
            if not any(directory.is_relative_to(path) for directory in wanted):
                shutil.copytree(
                    path, target, ignore=shutil.ignore_patterns(*NEVER_COPIED), dirs_exist_ok=True
                )
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    return into / root.relative_to(base)


def changed(root: Path, copied: Path) -> list[str]:
    """Which files of a configuration are others than when it was copied, by their paths beside the root.

    Args:
        root: the Terraform root.
        copied: the root of the copy.
    """
    with tempfile.TemporaryDirectory(prefix="event-harness-") as scratch:
        fresh = copy(root, Path(scratch))
        files = (file for file in sorted(Path(scratch).rglob("*")) if file.is_file() and file.name != LOCK)
        now = {os.path.relpath(file, fresh): file for file in files}
        return [
            name
            for name, file in now.items()
            if not (copied / name).is_file() or not filecmp.cmp(file, copied / name, shallow=False)
        ]


def literal(value: Any) -> str:
    """The text of a quoted string, of which python-hcl2 keeps the quotes; anything else as it stands."""
    text = str(value)
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text


def expression(value: Any) -> str:
    """A value, as python-hcl2 reads it, as a Terraform expression."""
    if isinstance(value, str):
        return value[2:-1] if value.startswith("${") and value.endswith("}") else value
    if isinstance(value, Mapping):
        pairs = [f"{k} = {expression(v)}" for k, v in value.items() if not k.startswith("__")]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(expression, value)) + "]"
    return json.dumps(value)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ConfigurationError(
            f"{file} is not UTF-8 (byte {byte:#04x} at offset {error.start}); convert it, e.g. with iconv"
        ) from error


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(text) if file.suffix == ".json" else hcl2.loads(text)
    except Exception as error:  # lark's errors share no base class with a message for a person
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigurationError(f"{file} can't be read as Terraform: {first}") from error
    return parsed


def _static(directory: Path, reference: str) -> Path:
    """The part of a path up to the first interpolation."""
    return Path(os.path.normpath(directory / reference.rstrip("/ ")))


def _is_source(path: Path, directory: Path) -> bool:
    """Whether a named path is an input: it exists, and isn't what a deployment makes (`.build`, `.terraform`)."""
    parts = Path(os.path.relpath(path, directory)).parts
    return path.exists() and not any(fnmatch(part, never) for part in parts for never in NEVER_COPIED)
