"""How a deployment uses the answers of terraform. Terraform is a fake that runs nothing."""

import json
import types
from pathlib import Path

import pytest

from event_harness.aws.targets import Target
from event_harness.deployments import recorded_toolchain
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DestroyError, SettingError
from event_harness.terraform import view
from event_harness.terraform.command import Terraform
from event_harness.terraform.generated import OVERRIDE
from event_harness.terraform.toolchain import Toolchain

TOOLS = types.SimpleNamespace(kind="terraform")


@pytest.fixture
def deployment(tmp_path, monkeypatch):
    """A deployment in eu-west-1 of which terraform tells the outputs that `outputs` holds."""
    (tmp_path / "main.tf").write_text('output "event_harness" {\n  value = null\n}\n')
    record = DeploymentRecord.create(tmp_path / "state", root=tmp_path, target="local")
    one = Deployment(tmp_path, Target.local("http://127.0.0.1:9", "eu-west-1"), TOOLS, record)
    one.outputs = {}

    def execute_command(*_command):
        values = {name: {"value": value} for name, value in one.outputs.items()}
        return types.SimpleNamespace(out=json.dumps(values))

    monkeypatch.setattr(
        one.calls, "terraform", lambda: types.SimpleNamespace(execute_command=execute_command)
    )
    return one


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A function that makes a deployment to prepare: init and the look at the region are left out."""
    made = []

    def make(*, own_emulator=False, **settings):
        root = tmp_path / "root"
        root.mkdir()
        (root / "main.tf").touch()
        tools = Toolchain(Path("/bin/terraform"), "terraform", "1.9", "registry", tmp_path / "cli.tfrc")
        record = DeploymentRecord.create(tmp_path / "state", root=root, target="local")
        record.own_emulator = own_emulator
        target = Target.local("http://127.0.0.1:9", "eu-west-1")
        one = Deployment(root, target, tools, record, **settings)
        monkeypatch.setattr(Terraform, "init", lambda *_arguments, **_more: None)
        monkeypatch.setattr(one.calls, "record_providers", lambda _origin: None)
        made.append(record)
        return one

    yield make
    for record in made:
        record.delete()  # with its temporary directory


def test_system_in_another_region_than_the_harness_looks_in_is_refused_with_the_remedy(deployment):
    deployment.outputs = {"event_harness": {"schema": 1, "region": "us-east-1"}}
    with pytest.raises(SettingError) as error:
        deployment.system()
    assert str(error.value) == (
        "Terraform has deployed to us-east-1, as its configuration says, but the harness looks in eu-west-1: "
        "set --harness-region=us-east-1 (harness_region in the ini file)"
    )


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"queue": "q"},
        {"event_harness": {"schema": 1, "region": "eu-west-1"}},
        {"event_harness": "no map"},
    ],
    ids=["no output", "no map", "a map of this region", "a map that is none"],
)
def test_system_that_names_no_other_region_is_taken_where_the_harness_looks(deployment, outputs):
    deployment.outputs = outputs
    assert deployment.system().outputs == outputs


def test_error_of_the_test_stays_the_one_to_be_seen_when_destroy_fails_too(deployment, monkeypatch):
    said = []

    def destroy():
        raise DestroyError("2 resources are left")

    monkeypatch.setattr(deployment, "apply", lambda: None)
    monkeypatch.setattr(deployment, "destroy", destroy)
    monkeypatch.setattr(deployment.calls, "say", said.append)
    with pytest.raises(ZeroDivisionError) as error, deployment:
        _ = 1 / 0
    assert error.value.__notes__ == said == ["2 resources are left"]
    with pytest.raises(DestroyError, match="2 resources are left"), deployment:
        pass


def test_variables_of_files_count_after_the_conventions_and_before_those_that_are_given(deployment, tmp_path):
    (tmp_path / "more.tfvars").write_text("a = 1")
    deployment.var_files = (tmp_path / "more.tfvars",)
    deployment.record.variables = {"ephemeral": True, "a": "2", "deploy_test_resources": False}
    deployment.record.var_files = deployment._copy_variable_files()
    first, file, *given = deployment.calls.variable_flags()
    assert first == "-var=ephemeral=true"
    assert file == f"-var-file={deployment.record.directory / '0-more.tfvars'}"
    assert given == ["-var=a=2", "-var=deploy_test_resources=false"]


def test_file_of_variables_that_is_gone_is_one_line(deployment, tmp_path):
    deployment.var_files = (tmp_path / "gone.tfvars",)
    with pytest.raises(SettingError, match=r"gone\.tfvars can't be read: No such file .*harness_var_file"):
        deployment._copy_variable_files()


@pytest.fixture
def region_of(deployment, tmp_path):
    """Lets the provider block name a region, and returns the one in which the deployment then works."""

    def take(expression, answer=""):
        (tmp_path / "main.tf").write_text(f'provider "aws" {{\n  region = {expression}\n}}\n')
        deployment.record.configuration = "../../.."
        deployment.calls._console = lambda _question: answer
        deployment.calls.record_providers(deployment.region_origin)
        assert deployment.record.region in ("", deployment.target.region)
        return deployment.target.region

    return take


def test_region_of_the_configuration_is_taken_over_before_apply(region_of):
    assert region_of('"us-east-1"') == "us-east-1"
    assert region_of("var.region", json.dumps(json.dumps({"/region": "us-west-2"}))) == "us-west-2"


def test_region_that_is_known_after_apply_only_leaves_the_harness_where_it_is(region_of):
    assert region_of("data.x.y.z", "(known after apply)") == "eu-west-1"


def test_region_of_the_configuration_that_contradicts_the_setting_is_an_error_before_apply(
    region_of, deployment
):
    deployment.region_origin = "--harness-region"
    with pytest.raises(SettingError, match=r"region is eu-west-1 \(--harness-region\), but .* us-east-1"):
        region_of('"us-east-1"')


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")]
)
def test_read_only_checkout_is_one_line_with_the_setting_that_helps(tmp_path, monkeypatch, error):
    def refuse(*_arguments, **_more):
        raise error

    monkeypatch.setattr("event_harness.machine.folders.make", refuse)
    with pytest.raises(SettingError) as raised:
        DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    assert str(raised.value) == (
        f"deployments can't be recorded in {tmp_path}/.event-harness: {error.strerror}; record them "
        "elsewhere: --harness-state-dir=DIRECTORY (harness_state_dir in the ini file)"
    )


def test_environment_reaches_terraform_but_for_what_leads_it_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "main.tf").touch()
    reach = {
        "TF_VAR_a": "1",
        "TF_TOKEN_example_com": "t",
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",
    }
    stay = {"TF_WORKSPACE": "prod", "TF_CLI_ARGS_apply": "-target=x", "TF_LOG": "trace", "TF_LOG_PATH": "log"}
    for name, text in {**reach, **stay, "TF_DATA_DIR": "theirs"}.items():
        monkeypatch.setenv(name, text)
    tools = types.SimpleNamespace(
        kind="terraform", binary=tmp_path, environ=lambda: {"TF_CLI_CONFIG_FILE": "/etc/company.tfrc"}
    )
    record = DeploymentRecord.create(tmp_path / "state", root=tmp_path, target="local")
    one = Deployment(tmp_path, Target.local("http://127.0.0.1:9", "eu-west-1"), tools, record)
    environ = one.calls.terraform(internet=True).env
    record.delete()  # with its temporary directory
    assert {name: environ[name] for name in reach} == reach
    assert environ["TF_CLI_CONFIG_FILE"] == "/etc/company.tfrc"
    assert not (set(stay) - {"TF_WORKSPACE"}) & set(environ)
    assert environ["TF_WORKSPACE"] == record.deployment_id
    assert environ["TF_DATA_DIR"] != "theirs"


@pytest.mark.parametrize(
    ("own_emulator", "workspace", "expected"),
    [(True, "default", "default"), (True, "dev", "dev"), (False, "dev", None)],
    ids=["as plain terraform", "as the setting says", "where deployments meet"],
)
def test_workspace_is_that_of_plain_terraform_only_where_no_other_deployment_can_be(
    prepared, own_emulator, workspace, expected
):
    one = prepared(own_emulator=own_emulator, workspace=workspace)
    one.prepare()
    expected = expected or one.record.deployment_id
    assert one.calls.terraform().env["TF_WORKSPACE"] == expected
    override = json.loads((one.record.configuration_dir / OVERRIDE).read_text())
    # The state is in one place, whatever the workspace: Terraform puts that of another one there by itself.
    assert override["terraform"]["backend"]["local"] == {
        "path": f"terraform.tfstate.d/{one.record.deployment_id}/terraform.tfstate"
    }


def test_what_a_fetched_module_may_write_is_copied(prepared, monkeypatch):
    monkeypatch.setattr(view, "_FILES", 5)  # what counts as large
    one = prepared()
    large = one.root / "node_modules"
    large.mkdir()
    for number in range(6):
        (large / str(number)).touch()

    def init(*_arguments, **_more):
        fetched = one.calls.data_dir / "modules" / "writer"
        fetched.mkdir(parents=True)
        (fetched / "main.tf").write_text('data "external" "writes" {\n}\n')
        module = {"Key": "writer", "Source": "git::https://example.org/w.git", "Dir": str(fetched)}
        (fetched.parent / "modules.json").write_text(json.dumps({"Modules": [module]}))

    monkeypatch.setattr(Terraform, "init", init)
    one.prepare()
    copied = one.record.configuration_dir / "node_modules"
    assert not copied.is_symlink()
    assert {file.stat().st_nlink for file in copied.iterdir()} == {1}


def test_kept_deployment_stays_in_its_workspace(prepared):
    one = prepared(own_emulator=True, workspace="dev")
    one.prepare()
    one.workspace = "other"
    one.prepare()
    assert one.calls.workspace == "dev"


def test_update_after_one_that_was_killed_leaves_one_view_with_the_state(prepared):
    one = prepared()
    one.prepare()
    one.record.state.parent.mkdir(parents=True)
    one.record.state.write_text("the state")
    (one.record.directory / "config-2").mkdir()  # of an update that was killed
    (one.record.directory / "config-2" / "main.tf").touch()
    one.prepare()
    assert [path.name for path in one.record.directory.glob("config*")] == ["config-3"]
    assert one.record.state.read_text() == "the state"
    assert one.record.state.is_relative_to(one.record.directory / "config-3")
    one.prepare()
    assert [path.name for path in one.record.directory.glob("config*")] == ["config"]


def test_further_apply_says_the_origin_of_the_provider_as_the_first_one_did(tmp_path, monkeypatch):
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
    record.terraform, record.providers = "/bin/terraform", "mirror"
    record.providers_why = "since the registry can't be reached"
    found = Toolchain(Path("/bin/terraform"), "terraform", "1.9", "mirror", Path("c"), "as the record says")
    monkeypatch.setattr(recorded_toolchain.toolchain, "find", lambda *_what, **_more: found)
    tools = recorded_toolchain.recorded_toolchain(record)
    assert tools.source == "from the PyPI mirror, since the registry can't be reached"
