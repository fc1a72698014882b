"""A Terraform configuration: what it declares, a copy of it for one run, and the run's override files.

A run works on a copy: parallel runs never meet, the user's checkout stays clean, and a run can still be
destroyed when the checkout has gone on. Copied is what the configuration needs and nothing else: the files
of the root, of each local module, and whatever they name below `path.module`, `path.root` or `path.cwd`.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import hcl2

from event_harness.errors import ConfigurationError

OVERRIDE = "event_harness_override.tf.json"
IMPLICIT_PROVIDER = "event_harness_provider.tf.json"
_COPIED_SUFFIXES = (".tf", ".tf.json", ".tfvars", ".tfvars.json", ".tofu", ".tftpl", ".hcl")
_NEVER_COPIED = shutil.ignore_patterns(
    ".git",
    ".terraform",
    ".event-harness",
    "terraform.tfstate*",
    ".venv*",
    "node_modules",
    "__pycache__",
    ".build",
)
_PATH_REFERENCE = re.compile(r"\$\{path\.(module|root|cwd)\}/([^\"$*{}]*)")
# The services for which provider 3.39 must be told where they are; what is missing here can't be reached.
_OLD_PROVIDER_ENDPOINTS = re.findall(
    r"\w+",
    """
    apigateway apigatewayv2 cloudformation cloudwatch cloudwatchevents cloudwatchlogs cognitoidp dynamodb
    ec2 ecr ecs efs elasticache firehose glue iam kinesis kms lambda rds resourcegroupstaggingapi route53 s3
    secretsmanager ses sns sqs ssm stepfunctions sts
    """,
)


@dataclass(frozen=True)
class Configuration:
    """What one directory of *.tf files declares.

    Attributes:
        directory: where it lies.
        variables: names of the input variables.
        outputs: names of the outputs.
        providers: the `provider "aws"` blocks, as python-hcl2 reads them.
        local_modules: directories of the modules that it calls by a relative path.
        functions: names of the `aws_lambda_function` resources, with their `runtime` expression or None.
        references: files and directories that its expressions name.
    """

    directory: Path
    variables: frozenset[str]
    outputs: frozenset[str]
    providers: tuple[dict[str, Any], ...]
    local_modules: tuple[Path, ...]
    functions: Mapping[str, str | None]
    references: tuple[Path, ...] = field(default=())

    @classmethod
    def read(cls, directory: Path) -> "Configuration":
        """Read every *.tf and *.tf.json of a directory.

        Raises:
            ConfigurationError: it isn't a directory, holds no Terraform, or a file can't be parsed.
        """
        if not directory.is_dir():
            raise ConfigurationError(f"{directory} is no directory; name the Terraform root (harness_root)")
        files = sorted(p for p in directory.iterdir() if p.name.endswith((".tf", ".tf.json")) and p.is_file())
        if not files:
            raise ConfigurationError(f"{directory} holds no *.tf; name the Terraform root (harness_root)")
        blocks: dict[str, list[Any]] = {}
        references: list[Path] = []
        for file in files:
            text = file.read_text(encoding="utf-8")
            for kind, bodies in _parse(file, text).items():
                blocks.setdefault(kind, []).extend(bodies if isinstance(bodies, list) else [bodies])
            references += [_static(directory, match.group(2)) for match in _PATH_REFERENCE.finditer(text)]
        modules = []
        for body in _labelled(blocks.get("module", [])).values():
            source = _literal(body.get("source", ""))
            if source.startswith(("./", "../")):
                modules.append(Path(os.path.normpath(directory / source)))
        functions = {
            name: body.get("runtime")
            for kinds in blocks.get("resource", [])
            for kind, bodies in kinds.items()
            if _literal(kind) == "aws_lambda_function"
            for name, body in _labelled([bodies]).items()
        }
        return cls(
            directory,
            frozenset(_labelled(blocks.get("variable", []))),
            frozenset(_labelled(blocks.get("output", []))),
            tuple(
                body
                for one in blocks.get("provider", [])
                for name, value in one.items()
                if _literal(name) == "aws"
                for body in (value if isinstance(value, list) else [value])
            ),
            tuple(dict.fromkeys(modules)),
            functions,
            tuple(dict.fromkeys(p for p in references if _is_source(p, directory))),
        )

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
            generated = file.name in (OVERRIDE, IMPLICIT_PROVIDER)
            if file.is_file() and file.name.endswith(_COPIED_SUFFIXES) and not generated:
                shutil.copy2(file, target / file.name)
    for path in extra:
        target = into / path.relative_to(base)
        if path.is_dir():
            # A directory that holds the whole configuration names it rather than its content.
            if not any(directory.is_relative_to(path) for directory in wanted):
                shutil.copytree(
                    path, target, ignore=shutil.ignore_patterns(*_NEVER_COPIED), dirs_exist_ok=True
                )
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    return into / root.relative_to(base)


def write_override(
    directory: Path,
    *,
    endpoint_url: str | None,
    old_provider: bool,
    tags: Mapping[str, str] | None = None,
    local_backend: bool = True,
) -> list[Path]:
    """Write what a run changes of a configuration, as Terraform override files beside it.

    Every `provider "aws"` gets the run's default tags beside its own, the state is kept beside the
    configuration, and, with the old provider only, the endpoints and a Lambda runtime that it knows.

    Args:
        directory: the root of the configuration (a run's copy; `make up` uses the checkout itself).
        endpoint_url: the emulator's URL, or None for the real AWS.
        old_provider: whether hashicorp/aws is 3.x, which knows no AWS_ENDPOINT_URL.
        tags: default tags to add.
        local_backend: keep the state in the directory whatever backend the configuration names.

    Returns:
        The files written.
    """
    root = Configuration.read(directory)
    override: dict[str, Any] = {}
    if local_backend:
        override["terraform"] = {"backend": {"local": {}}}
    settings = _old_provider_settings(endpoint_url) if old_provider and endpoint_url else {}
    blocks = [{**_alias(block), **settings, **_default_tags(block, tags or {})} for block in root.providers]
    written = []
    if any(len(block) > ("alias" in block) for block in blocks):
        override["provider"] = {"aws": blocks}
    if not any("alias" not in block for block in root.providers) and (settings or tags):
        # Nothing to override: the default provider is implied by its resources.
        implicit = {"provider": {"aws": {**settings, **_default_tags({}, tags or {})}}}
        written.append(_write(directory / IMPLICIT_PROVIDER, implicit))
    if old_provider:
        for module in root.tree():
            functions = _runtime_override(module.functions)
            if module.directory == root.directory:
                override |= functions
            elif functions and local_backend:
                written.append(_write(module.directory / OVERRIDE, functions))
    if override:
        written.append(_write(directory / OVERRIDE, override))
    return written


def _runtime_override(functions: Mapping[str, str | None]) -> dict[str, Any]:
    # Provider 3.39 refuses runtimes newer than python3.8 in the plan; MiniStack runs each python name on
    # the interpreter that it runs on itself.
    named = {
        name: {"runtime": "python3.8"}
        for name, runtime in functions.items()
        if runtime is not None and ("python" in runtime or "${" in runtime)
    }
    return {"resource": {"aws_lambda_function": named}} if named else {}


def _old_provider_settings(endpoint_url: str) -> dict[str, Any]:
    return {
        "access_key": "test",
        "secret_key": "test",  # the emulator's well-known key
        "s3_force_path_style": True,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_get_ec2_platforms": True,
        "endpoints": [dict.fromkeys(_OLD_PROVIDER_ENDPOINTS, endpoint_url)],
    }


def _alias(block: Mapping[str, Any]) -> dict[str, str]:
    return {"alias": _literal(block["alias"])} if "alias" in block else {}


def _default_tags(block: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """The provider's own default tags and the run's: an override replaces the block as a whole."""
    if not tags:
        return {}
    own = (block.get("default_tags") or [{}])[0].get("tags", {})
    if isinstance(own, str):  # an expression, "${…}"
        ours = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in tags.items())
        return {"default_tags": [{"tags": f"${{merge({own[2:-1]}, {{{ours}}})}}"}]}
    literal = {_literal(k): _literal(v) for k, v in own.items() if not k.startswith("__")}
    return {"default_tags": [{"tags": literal | dict(tags)}]}


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(text) if file.suffix == ".json" else hcl2.loads(text)
    except Exception as error:  # lark's errors share no base class with a message for a person
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigurationError(f"{file} can't be read as Terraform: {first}") from error
    return parsed


def _labelled(blocks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        _literal(name): body for block in blocks for name, body in block.items() if not name.startswith("__")
    }


def _literal(value: Any) -> str:
    """python-hcl2 keeps the quotes of a quoted string; an expression comes as "${…}"."""
    text = str(value)
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text


def _static(directory: Path, reference: str) -> Path:
    """The part of a path up to the first interpolation."""
    return Path(os.path.normpath(directory / reference.rstrip("/ ")))


def _is_source(path: Path, directory: Path) -> bool:
    """Whether a named path is an input: it exists, and isn't what a run makes (`.build`, `.terraform`)."""
    parts = Path(os.path.relpath(path, directory)).parts
    return path.exists() and not any(fnmatch(part, never) for part in parts for never in _NEVER_COPIED)


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path
