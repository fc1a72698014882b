"""What the code of each Lambda function was made from, as the state and the configuration tell it.

Only what `archive_file` makes of files of the project can be made again here, and only if it comes out the
same as at apply. Everything else is told apart, with the reason: what a command has built, what else depends
on the archive, what needs an expression to be evaluated.
"""

import base64
import dataclasses
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from event_harness.terraform import code_digests, code_overrides, state_file
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.origins import Origins
from event_harness.terraform.provider_3_39 import archive_provider

_ARGUMENTS = (
    "type",
    "source_dir",
    "source_file",
    "excludes",
    "exclude_symlink_directories",
    "output_file_mode",
)
# `file("${path.module}/app.py")`: the one expression for a content that is evaluated here.
_FILE = re.compile(r'file\("((?:\$\{(?:path\.(?:module|root|cwd)|each\.key|count\.index)\}|[^"$\\%])+)"\)')
MOST_BYTES = 50 * 1024 * 1024
"""Lambda takes no larger archive directly."""


@dataclass
class Code:
    """The code of one or more functions that are made from one archive or file.

    Attributes:
        address: of the data source; of the function, if a file of the project is its archive.
        functions: the functions' names, by address.
        arguments: those of the data source, with the paths of the project; or the `file`.
        names: the names in the archive.
        may_grow: whether files may be added and removed: nothing else decides which ones are packed.
        digest: SHA-256 in base64 of the code that the functions run, as it is made here.
        why_not: why it can't be made again exactly; empty if it can.
        files: the files of the project that it was made from.
        copied: at apply, the arguments with the paths of the view.
    """

    address: str
    functions: dict[str, str]
    arguments: dict[str, Any]
    names: list[str] = field(default_factory=list)
    may_grow: bool = True
    digest: str = ""
    why_not: str = ""
    files: list[str] = field(default_factory=list)
    copied: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def made(self, left_out: Callable[[Path], bool]) -> "Made":
        """Make it again from the project as it is now.

        Raises:
            ArchiveError: a source is missing or empty.
            OSError: a source can't be read.
        """
        if file := self.arguments.get("file"):
            return Made(Path(file).read_bytes(), [], [Path(file)])
        if blocks := self.arguments.get("source"):
            contents = {block["filename"]: Path(block["file"]) for block in blocks}
            mode = self.arguments.get("output_file_mode")
            entries = [
                (name, path.read_bytes(), int(mode, 8) if mode else 0o644)
                for name, path in sorted(contents.items())
            ]
            return Made(archive_provider.zipped(entries), sorted(contents), list(contents.values()))
        leaves = left_out if self.arguments["filtered"] else (lambda _path: False)
        paths = archive_provider.paths(self.arguments, leaves)
        packed = archive_provider.zipped(archive_provider.entries(self.arguments, leaves))
        return Made(packed, [name for name, _ in paths], [path for _, path in paths])

    def holds(self, file: Path) -> bool:
        """Whether a file of the project is, was or would be a part of it."""
        if str(file) in self.files:
            return True
        directory = self.arguments.get("source_dir")
        return bool(directory and file.is_relative_to(directory))


@dataclass(frozen=True)
class Made:
    """An archive that was made.

    Attributes:
        content: its bytes.
        names: the names in it.
        files: the files that it was made from.
    """

    content: bytes
    names: list[str]
    files: list[Path]

    @property
    def digest(self) -> str:
        """SHA-256 in base64, as Lambda tells it."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def read(
    state: Path, origins: Origins, module_directory: Callable[[str], Path], files_bucket: str = ""
) -> list[Code]:
    """What each function in a state was made from.

    Args:
        state: the state after apply.
        origins: tells where the files of the view come from.
        module_directory: the directory in the view of a module, by its address; of the root by "".
        files_bucket: the bucket whose keys are paths; see `code_overrides`.

    Raises:
        StateError: the state can't be read.
    """
    resources = state_file.resources(state)
    archives = {
        origins.copy_of(instance["attributes"]["output_path"]): (one, instance)
        for one, instance in state_file.instances(resources, "data", ("archive_file",))
        if instance["attributes"].get("output_path")
    }
    objects = {
        (instance["attributes"].get("bucket"), instance["attributes"].get("key")): instance["attributes"]
        for _, instance in state_file.instances(resources, "managed", code_digests.OBJECTS)
    }
    found: dict[str, Code] = {}
    for one, instance in state_file.instances(resources, "managed", ("aws_lambda_function",)):
        attributes = instance["attributes"]
        address = state_file.address(one, instance)
        bucket, key = attributes.get("s3_bucket"), attributes.get("s3_key")
        path = attributes.get("filename") or objects.get((bucket, key), {}).get("source")
        if key and bucket == files_bucket:
            path = code_overrides.path_of(key, origins.directory)
        if not path:
            continue  # an image, or an object that something else has put there: nothing here can change it
        copy = origins.copy_of(path)
        if copy in archives:
            data, of = archives[copy]
            key = state_file.address(data, of)
            if key not in found:
                found[key] = _of_archive(key, data, of, origins, module_directory)
        else:
            key = address
            found[key] = _of_file(key, copy, origins)
        found[key].functions[address] = attributes["function_name"]
        if attributes.get("publish"):
            found[key].why_not = found[key].why_not or f"{address} publishes versions"
    for code in found.values():
        code.why_not = code.why_not or code_digests.other_use(
            code.address, code.digest, code.files, resources
        )
    return list(found.values())


def _of_file(address: str, copy: Path, origins: Origins) -> Code:
    """The code of a function whose archive is a file that no `archive_file` has made."""
    code = Code(address, {}, {}, may_grow=False)
    source = origins.source_of(copy)
    if source is None or not origins.is_untouched(copy):
        code.why_not = f"a command has built {copy.name}"
        return code
    code.arguments, code.files = {"file": str(source)}, [str(source)]
    code.digest = Made(copy.read_bytes(), [], []).digest
    return code


def _of_archive(
    address: str,
    data: Mapping[str, Any],
    instance: Mapping[str, Any],
    origins: Origins,
    module_directory: Callable[[str], Path],
) -> Code:
    attributes = instance["attributes"]
    code = Code(address, {}, {name: attributes.get(name) for name in _ARGUMENTS})
    try:
        module = module_directory(data.get("module", ""))
        body = _body(module, data["name"])
        _with_paths(code, attributes, body, origins, module, instance.get("index_key"))
        _compare(code, attributes, origins)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, archive_provider.ArchiveError) as error:
        code.why_not = code.why_not or f"its source can't be read ({error})"
    code.copied.clear()
    return code


def _body(directory: Path, name: str) -> Mapping[str, Any]:
    """The block of a data source; of several, as with override files, what all of them say."""
    configuration = Configuration.read(directory)
    bodies = [body for labels, body in configuration.blocks("data", 2) if labels == ("archive_file", name)]
    return {key: value for body in bodies for key, value in body.items()}


def _with_paths(
    code: Code,
    attributes: Mapping[str, Any],
    body: Mapping[str, Any],
    origins: Origins,
    module: Path,
    key: str | int | None,
) -> None:
    """Put the paths of the project in the place of those of the view."""
    if attributes.get("type") != "zip":
        code.why_not = f"it is a {attributes.get('type')}"
    literal = [one for one in _listed(body.get("excludes")) if isinstance(one, str)]
    code.may_grow = sorted(literal) == sorted(attributes.get("excludes") or []) and not any(
        "${" in one for one in literal
    )
    for name in ("source_dir", "source_file"):
        if attributes.get(name):
            copy = origins.copy_of(attributes[name])
            source = origins.source_of(copy)
            if source is None or not source.exists():
                code.why_not = code.why_not or "a command has built it"
                return
            code.arguments[name], code.copied[name] = str(source), str(copy)
            code.arguments["filtered"] = origins.is_copied(copy)
            return
    blocks = _blocks(attributes, body, origins, module, key)
    code.arguments["source"], code.may_grow = blocks, False
    code.copied["source"] = [block | {"file": block.pop("copy")} for block in blocks]
    if not code.arguments["source"]:
        code.why_not = code.why_not or 'its content is another expression than file("PATH")'


def _blocks(
    attributes: Mapping[str, Any],
    body: Mapping[str, Any],
    origins: Origins,
    module: Path,
    key: str | int | None,
) -> list[dict[str, str]]:
    """The `source` blocks with the file of each; none if a content is not `file("PATH")`."""
    if name := attributes.get("source_content_filename"):
        written = {name: body.get("source_content")}
        made = {name: attributes.get("source_content")}
    else:
        blocks = _listed(body.get("source"))
        written = {_with_key(str(one.get("filename")), key): one.get("content") for one in blocks}
        made = {one["filename"]: one["content"] for one in attributes.get("source") or []}
    if set(written) != set(made):
        return []  # the names are expressions, or the blocks are dynamic
    found = []
    for name, expression in written.items():
        match = _FILE.fullmatch(str(expression))
        copy = origins.named(_with_key(match[1], key), module) if match else None
        source = origins.source_of(copy) if copy else None
        if copy is None or source is None or copy.read_text(encoding="utf-8") != made[name]:
            return []
        found.append({"filename": name, "file": str(source), "copy": str(copy)})
    return found


def _with_key(text: str, key: str | int | None) -> str:
    """A text with the key of an instance in it, for `each.key` and `count.index`."""
    name = "each.key" if isinstance(key, str) else "count.index"
    return text if key is None else text.replace(f"${{{name}}}", str(key))


def _compare(code: Code, attributes: Mapping[str, Any], origins: Origins) -> None:
    """Check that the archive comes out as the provider has made it, of files that are the project's own."""
    if code.why_not:
        return
    copied = dataclasses.replace(code, arguments=code.arguments | code.copied)
    made = copied.made(lambda _path: False)
    sources = [origins.source_of(copy) for copy in made.files]
    if not all(origins.is_untouched(copy) for copy in made.files):
        code.why_not = "a command has built it"
        return
    code.names, code.files, code.digest = made.names, [str(path) for path in sources], made.digest
    if made.digest != attributes.get("output_base64sha256"):
        # Another implementation packs the same files into other bytes.
        with zipfile.ZipFile(origins.copy_of(attributes["output_path"])) as theirs:
            if _summary(theirs) != _summary_of(made.content):
                code.why_not = "the provider has packed it differently"


def _summary(archive: zipfile.ZipFile) -> list[tuple[str, int, int]]:
    """Name, checksum and file mode of each entry; 0644 for a mode that isn't told."""
    return sorted(
        (one.filename, one.CRC, (one.external_attr >> 16) & 0o777 or 0o644) for one in archive.infolist()
    )


def _summary_of(content: bytes) -> list[tuple[str, int, int]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _summary(archive)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
