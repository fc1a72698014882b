"""A stand-in for the provider hashicorp/archive, for networks without the Terraform Registry.

It serves the data source and the resource `archive_file` as hashicorp/archive 2.7 does. The same input gives
the same bytes: names are sorted and the time is fixed. A copy in the provider mirror runs on its own, so it
imports nothing of the harness.
"""

import base64
import gzip
import hashlib
import io
import os
import re
import signal
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

VERSION = "2.7.1"
State = dict[str, Any]
_DIGESTS = ("md5", "sha1", "sha256", "sha512")


class ArchiveError(Exception):
    """A source is missing or empty, or the arguments contradict each other."""


_GLOB = re.compile(
    r"(?P<deep>\*\*/)|(?P<rest>\*\*)|(?P<star>\*)|(?P<one>\?)|\[(?P<none>[!^])?(?P<members>[^]]+)\]"
    r"|(?P<open>\{)|(?P<close>\})|(?P<or>,)|\\(?P<literal>.)|(?P<other>.)",
    re.DOTALL,
)
_EXPRESSIONS = {
    "deep": "(?:[^/]+/)*",
    "rest": ".*",
    "star": "[^/]*",
    "one": "[^/]",
    "open": "(?:",
    "close": ")",
}


def _pattern(glob: str) -> re.Pattern[str]:
    """A regular expression for a glob with `**` and `{a,b}`, as the original reads its `excludes`."""
    expression, depth = "", 0
    for token in _GLOB.finditer(glob):
        kind = token.lastgroup or ""
        depth += (kind == "open") - (kind == "close")
        if kind == "members":
            expression += f"[{'^' if token['none'] else ''}{token['members']}]"
        elif kind == "or":
            expression += "|" if depth else ","
        else:
            expression += _EXPRESSIONS.get(kind) or re.escape(token[kind])
    return re.compile(expression, re.DOTALL)


LeftOut = Callable[[Path], bool]
"""Says of a file or directory whether an archive is made as if it weren't there."""


def _nothing(_path: Path) -> bool:
    return False


def _files(
    directory: Path, excludes: list[str], follow: bool, left_out: LeftOut
) -> Iterator[tuple[str, Path]]:
    """Names (with `/`) and paths of the files below a directory, in the order of their names."""
    if not directory.is_dir():
        raise ArchiveError(f"could not archive missing directory: {directory}")
    patterns = [_pattern(glob) for glob in excludes if glob]
    found: dict[str, Path] = {}
    seen = set()
    for parent, folders, files in os.walk(directory, followlinks=follow):
        real = os.path.realpath(parent)
        if real in seen:  # a link to a parent directory
            folders.clear()
            continue
        seen.add(real)
        relative = Path(parent).relative_to(directory)
        folders[:] = [
            name
            for name in folders
            if not _matches(relative / name, patterns) and not left_out(Path(parent, name))
        ]
        for name in files:
            if not _matches(relative / name, patterns) and not left_out(Path(parent, name)):
                found[(relative / name).as_posix()] = Path(parent, name)
    yield from sorted(found.items())


def _matches(path: Path, patterns: list[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(path.as_posix()) for pattern in patterns)


def paths(config: dict[str, Any], left_out: LeftOut = _nothing) -> list[tuple[str, Path]]:
    """Name and path of each file that a data source takes from a directory or from one file.

    Raises:
        ArchiveError: there is none.
    """
    if directory := config.get("source_dir"):
        follow = not config.get("exclude_symlink_directories")
        files = list(_files(Path(directory), config.get("excludes") or [], follow, left_out))
    else:
        file = config["source_file"]
        if not Path(file).is_file():
            raise ArchiveError(f"could not archive missing file: {file}")
        files = [(Path(file).name, Path(file))]
    if not files:
        raise ArchiveError("archive has not been created as it would be empty")
    return files


def entries(config: dict[str, Any], left_out: LeftOut = _nothing) -> list[tuple[str, bytes, int]]:
    """Name, content and file mode of each entry, sorted by name.

    Raises:
        ArchiveError: a source is missing or empty.
    """
    mode = int(config["output_file_mode"], 8) if config.get("output_file_mode") else None
    if not (config.get("source_dir") or config.get("source_file")):
        contents = {block["filename"]: block["content"] for block in config.get("source") or []}
        if config.get("source_content_filename"):
            contents[config["source_content_filename"]] = config.get("source_content") or ""
        if not contents:
            raise ArchiveError("one of source_dir, source_file, source or source_content is needed")
        default = 0o644 if mode is None else mode
        return [(name, text.encode(), default) for name, text in sorted(contents.items())]
    return [
        (name, path.read_bytes(), (path.stat().st_mode & 0o777) if mode is None else mode)
        for name, path in paths(config, left_out)
    ]


def zipped(entries: list[tuple[str, bytes, int]]) -> bytes:
    """The bytes of a zip archive with these entries: name, content, file mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, wherever this runs, so that the mode below counts
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def _tar_gz(entries: list[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content, mode in entries:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), mode
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def archive_file(config: dict[str, Any]) -> dict[str, Any]:
    """Write the archive that a data source `archive_file` describes, and return the data source's state.

    Raises:
        ArchiveError: a source is missing or empty, or not exactly one kind of source is given.
    """
    makers = {"zip": zipped, "tar.gz": _tar_gz}
    if config["type"] not in makers:
        raise ArchiveError(f"archive type not supported: {config['type']}")
    ways = ("source_dir", "source_file", "source", "source_content_filename")
    if sum(bool(config.get(way)) for way in ways) > 1:
        raise ArchiveError(f"only one of {', '.join(ways)} may be given")
    content = makers[config["type"]](entries(config))
    _write(Path(config["output_path"]), content)
    digests = {name: hashlib.new(name, content, usedforsecurity=False).digest() for name in _DIGESTS}
    return {
        **config,
        "id": digests["sha1"].hex(),
        "output_size": len(content),
        "output_md5": digests["md5"].hex(),
        "output_sha": digests["sha1"].hex(),
        "output_sha256": digests["sha256"].hex(),
        "output_sha512": digests["sha512"].hex(),
        "output_base64sha256": base64.b64encode(digests["sha256"]).decode(),
        "output_base64sha512": base64.b64encode(digests["sha512"]).decode(),
    }


def _write(path: Path, content: bytes) -> None:
    """Write an archive as a whole: nobody sees a part of it. A device, as `/dev/null`, stays one."""
    target = Path(os.path.realpath(path))  # a link stays, and the file that it leads to is written
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as partial:
        partial.write(content)
    os.chmod(partial.name, 0o644)
    os.replace(partial.name, target)


def _serve() -> None:
    """Serve Terraform's plugin protocol until Terraform closes the connection or dies."""
    # The framework comes with the extra `local` only; the functions above don't need it.
    from tf import blocks, iface, runner, schema, types  # type: ignore[import-untyped]

    required = ("type", "output_path")
    optional = {
        "source_content": types.String(),
        "source_content_filename": types.String(),
        "source_file": types.String(),
        "source_dir": types.String(),
        "excludes": types.Set(types.String()),
        "exclude_symlink_directories": types.Bool(),
        "output_file_mode": types.String(),
    }
    computed = {
        "id": types.String(),
        "output_size": types.Number(),
        **{
            f"output_{name}": types.String()
            for name in ("md5", "sha", "sha256", "sha512", "base64sha256", "base64sha512")
        },
    }

    arguments = (*required, *optional, "source")

    class Archive:
        """What the data source and the resource share."""

        def __init__(self, provider: Any) -> None:
            """Take the framework's provider, which isn't needed here."""

        @classmethod
        def get_name(cls) -> str:
            """The name behind the provider's prefix."""
            return "file"

        @classmethod
        def get_schema(cls) -> Any:
            """The arguments and attributes."""
            source = [
                schema.Attribute(name, types.String(), required=True) for name in ("content", "filename")
            ]
            return schema.Schema(
                attributes=[
                    *(schema.Attribute(name, types.String(), required=True) for name in required),
                    *(schema.Attribute(name, kind, optional=True) for name, kind in optional.items()),
                    *(schema.Attribute(name, kind, computed=True) for name, kind in computed.items()),
                ],
                block_types=[blocks.SetNestedBlock("source", schema.Block(source))],
            )

        def write(self, ctx: Any, config: State) -> State | None:
            """Write the archive; an error becomes a diagnostic."""
            try:
                return archive_file({name: config.get(name) for name in arguments})
            except (ArchiveError, OSError) as error:
                ctx.diagnostics.add_error("Archive creation error", f"error creating archive: {error}")
                return None

    class ArchiveData(Archive, iface.DataSource):  # type: ignore[misc]  # `tf` is untyped
        def read(self, ctx: Any, config: State) -> State | None:
            """Write the archive."""
            return self.write(ctx, config)

    class ArchiveResource(Archive, iface.Resource):  # type: ignore[misc]  # `tf` is untyped
        create = Archive.write

        def read(self, ctx: Any, current: State) -> State | None:  # noqa: ARG002
            """Write the archive again, as long as there is something to put in."""
            try:
                return archive_file({name: current.get(name) for name in arguments})
            except (ArchiveError, OSError):
                return current

        def plan(self, ctx: Any, current: State | None, planned: State) -> State:
            """What the archive was stays known, unless an argument changes."""
            kept = current if current and not ctx.changed_fields.intersection(arguments) else {}
            return planned | {name: kept[name] for name in computed if name in kept}

        def update(self, ctx: Any, _: State, planned: State) -> State | None:
            """Write the archive again."""
            return self.write(ctx, planned)

        def delete(self, ctx: Any, current: State) -> None:
            """Leave the file, as the original does."""

        def upgrade(self, ctx: Any, version: int, old: State) -> State:  # noqa: ARG002
            """There is one version."""
            return old

    class ArchiveProvider(iface.Provider):  # type: ignore[misc]  # `tf` is untyped
        def get_model_prefix(self) -> str:
            """The prefix of its data sources."""
            return "archive_"

        def full_name(self) -> str:
            """The address of the provider."""
            return "registry.terraform.io/hashicorp/archive"

        def get_provider_schema(self, diags: Any) -> Any:  # noqa: ARG002 (the framework's signature)
            """No settings."""
            return schema.Schema()

        def validate_config(self, diags: Any, config: dict[str, Any]) -> None:
            """Accept the empty block: this provider has no settings."""

        configure_provider = validate_config

        def get_data_sources(self) -> list[Any]:
            """Its one data source."""
            return [ArchiveData]

        def get_resources(self) -> list[Any]:
            """The resource of the same name."""
            return [ArchiveResource]

    _end_with_terraform()
    started_with = sys.argv[:1]
    if "-debug" in sys.argv:  # one process for a whole command of Terraform, as HashiCorp's framework has it
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        started_with.append("--dev")
    runner.run_provider(ArchiveProvider(), started_with)


def _end_with_terraform() -> None:
    """Ignore Ctrl-C, since Terraform then closes the connection, and end when Terraform has been killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An exception, so that the socket's folder is deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent = os.getppid()

    def watch() -> None:
        """End this process once its parent has ended."""
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
        os._exit(1)  # a request in progress delays the end, and nobody waits for its answer

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    _serve()
