"""Which CLI configuration Terraform gets, and what of the user's own still holds."""

import os

import pytest

from event_harness.terraform import cli_config

OWN = """\
# mine
plugin_cache_dir = "/mine"
host "registry.example.com" {
  services = {
    "modules.v1" = "https://modules.example.com/v1/"
  }
}
credentials "registry.example.com" { token = "s3cret" }
credentials_helper "vault" {
  args = ["--team", "orders"]
}
provider_installation {
  direct {}
}
"""


def test_mirror_is_used_with_the_users_own_registries_of_modules(tmp_path):
    """Modules come from where the user says, also if providers come from the mirror."""
    own = tmp_path / "own.tfrc"
    own.write_text(OWN)
    config = cli_config.for_mirror(tmp_path, own)
    text = config.read_text()
    assert 'host "registry.example.com" {\n  services = {\n    "modules.v1" =' in text
    assert 'credentials "registry.example.com" { token = "s3cret" }' in text
    assert 'credentials_helper "vault" {' in text
    assert text.count("provider_installation") == 1
    assert "/mine" not in text
    assert config.stat().st_mode & 0o077 == 0
    assert cli_config.for_mirror(tmp_path, own) == config


@pytest.mark.parametrize("text", [None, 'plugin_cache_dir = "/mine"\n', "host {{{", "\udcff"])
def test_mirror_is_used_alone_where_the_users_own_says_nothing_of_modules(tmp_path, text):
    own = tmp_path / "own.tfrc"
    if text is not None:
        own.write_bytes(text.encode("utf-8", "surrogateescape"))
    config = cli_config.for_mirror(tmp_path, own if text is not None else None)
    assert config == tmp_path / "cli.tfrc"
    assert "filesystem_mirror" in config.read_text()


def test_copies_of_the_users_own_that_nobody_uses_are_deleted(tmp_path):
    own, old = tmp_path / "own.tfrc", tmp_path / "cli-0123456789ab.tfrc"
    own.write_text(OWN)
    old.touch()
    os.utime(old, (0, 0))
    of_another_session = tmp_path / "cli-0123456789ac.tfrc"
    of_another_session.touch()
    config = cli_config.for_mirror(tmp_path, own)
    assert {path.name for path in tmp_path.glob("cli*")} == {config.name, of_another_session.name}


@pytest.mark.parametrize(
    ("kind", "files", "found"),
    [
        ("terraform", [".tofurc", ".terraformrc"], ".terraformrc"),
        ("tofu", [".tofurc", ".terraformrc"], ".tofurc"),
        ("tofu", [".terraformrc"], ".terraformrc"),
        ("terraform", [".tofurc"], None),
    ],
)
def test_users_own_configuration_is_the_one_that_plain_terraform_reads(tmp_path, kind, files, found):
    for name in files:
        (tmp_path / name).touch()
    expected = tmp_path / found if found else None
    assert cli_config.users_own({"HOME": str(tmp_path)}, kind) == expected
