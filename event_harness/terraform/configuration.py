"""What a Terraform configuration declares: variables, outputs, modules, providers, functions.

Names and constant values only, as HashiCorp's parser tells them. A file that isn't valid is left out here:
Terraform shows its own diagnostic as soon as it runs.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from event_harness.errors import ConfigurationError
from event_harness.terraform import hcl
from event_harness.terraform.generated import GENERATED

LOCK = ".terraform.lock.hcl"
_SUFFIXES = (".tf", ".tf.json")
_TOFU_SUFFIXES = (".tofu", ".tofu.json")


@dataclass(frozen=True)
class Variable:
    """An input variable; type and default are Terraform expressions. Without a default it must be given."""

    name: str
    type: str
    description: str
    default: str | None
    sensitive: bool = False


@dataclass(frozen=True)
class Configuration:
    """What the Terraform files of one directory declare.

    Attributes:
        directory: where they are.
        contents: the blocks of each file that is valid, in the order in which Terraform merges them.
        broken: the files that can't be read.
        tofu: whether it is read as OpenTofu reads it.
    """

    directory: Path
    contents: Mapping[Path, Mapping[str, Any]]
    broken: tuple[Path, ...] = ()
    tofu: bool = False

    @classmethod
    def read(cls, directory: Path, *, tofu: bool = False) -> "Configuration":
        """Read a directory.

        Args:
            directory: a root or a module.
            tofu: whether OpenTofu will run, which reads `*.tofu` in place of the `*.tf` of the same name.

        Raises:
            ConfigurationError: it isn't a directory, or holds no Terraform files.
        """
        if not directory.is_dir():
            raise ConfigurationError(f"{directory} is no directory; name the Terraform root (harness_root)")
        files = _files(directory, tofu=tofu)
        if not files:
            raise ConfigurationError(f"{directory} holds no *.tf; name the Terraform root (harness_root)")
        contents: dict[Path, Mapping[str, Any]] = {}
        broken = []
        for file in files:
            try:
                contents[file] = hcl.read(file)
            except hcl.UnreadableError:
                broken.append(file)
        return cls(directory, contents, tuple(broken), tofu)

    def blocks(self, kind: str, labels: int) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
        """The labels and the body of each block of a kind, override files last."""
        for content in self.contents.values():
            yield from hcl.labelled(content.get(kind, {}), labels)

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The input variables, by name, in order of name."""
        merged: dict[str, dict[str, Any]] = {}
        for (name,), body in self.blocks("variable", 1):
            merged.setdefault(name, {}).update(body)
        return {
            name: Variable(
                name,
                str(body.get("type", "any")),
                str(body.get("description", "")),
                hcl.expression(body["default"]) if "default" in body else None,
                sensitive=body.get("sensitive") is True,
            )
            for name, body in sorted(merged.items())
        }

    @cached_property
    def outputs(self) -> frozenset[str]:
        """Names of the outputs."""
        return frozenset(name for (name,), _ in self.blocks("output", 1))

    @cached_property
    def aws(self) -> str:
        """The local name of the provider hashicorp/aws."""
        for _, body in self.blocks("terraform", 0):
            for _, required in hcl.labelled(body.get("required_providers", {}), 0):
                for name, one in required.items():
                    source = one.get("source") if isinstance(one, Mapping) else None
                    if source and str(source).split("/")[-2:] == ["hashicorp", "aws"]:
                        return str(name)
        return "aws"

    @cached_property
    def providers(self) -> Mapping[str, Mapping[str, Any]]:
        """The blocks of the provider hashicorp/aws by alias, override files merged in.

        The alias of the default one is empty.
        """
        merged: dict[str, dict[str, Any]] = {}
        for (name,), body in self.blocks("provider", 1):
            if name == self.aws:
                merged.setdefault(str(body.get("alias", "")), {}).update(body)
        return merged

    @cached_property
    def functions(self) -> Mapping[str, Mapping[str, Any]]:
        """The `aws_lambda_function` resources, by name."""
        return {
            name: body for (kind, name), body in self.blocks("resource", 2) if kind == "aws_lambda_function"
        }

    @cached_property
    def sources(self) -> list[str]:
        """Where its modules come from."""
        return [str(body["source"]) for _, body in self.blocks("module", 1) if "source" in body]

    @cached_property
    def local_modules(self) -> list[Path]:
        """Directories of the modules that it calls by a relative path."""
        local = [source for source in self.sources if source.startswith(("./", "../"))]
        return list(dict.fromkeys(Path(os.path.normpath(self.directory / source)) for source in local))

    def tree(self) -> "list[Configuration]":
        """This configuration and all local modules below it, each once, the root first.

        A module that isn't there is left out: Terraform reports it.
        """
        found = {self.directory: self}
        waiting = list(self.local_modules)
        while waiting:
            directory = waiting.pop()
            if directory not in found:
                try:
                    found[directory] = Configuration.read(directory, tofu=self.tofu)
                except ConfigurationError:
                    continue
                waiting += found[directory].local_modules
        return list(found.values())


def is_override(file: Path) -> bool:
    """Whether Terraform merges a file over the others instead of adding it to them."""
    stem = file.name.removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
    return stem == "override" or stem.endswith("_override")


def _files(directory: Path, *, tofu: bool) -> list[Path]:
    """The files that Terraform reads, in its order: by name, override files last."""
    suffixes = _SUFFIXES + (_TOFU_SUFFIXES if tofu else ())
    files = {
        path.name: path
        for path in directory.iterdir()
        if path.name.endswith(suffixes)
        and not path.name.startswith((".", "#"))
        and path.name not in GENERATED
        and path.is_file()
    }
    if tofu:
        replaced = [name.replace(".tofu", ".tf") for name in files if name.endswith(_TOFU_SUFFIXES)]
        files = {name: path for name, path in files.items() if name not in replaced}
    return sorted(files.values(), key=lambda file: (is_override(file), os.fsencode(file.name)))
