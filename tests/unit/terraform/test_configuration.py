import json

import pytest

from event_harness.errors import ConfigurationError
from event_harness.terraform import configuration
from event_harness.terraform.configuration import Configuration

ROOT = """
variable "owner" {
  description = "Who answers for it."
  type        = string
  default     = "me"
}
variable "size" {
  description = "How large, in \\"MB\\"."
  type        = object({ memory = optional(number, 128) })
  default     = { memory = 256 }
}
variable "must" {
  type = list(string)
}
output "event_harness" { value = 1 }
provider "aws" {
  region = "eu-west-1"
}
module "queue" {
  source = "../modules/queue"
}
module "remote" {
  source = "hashicorp/consul/aws"
}
resource "aws_lambda_function" "worker" {
  runtime  = "python3.13"
  filename = "${path.module}/../functions/worker/app.py"
}
"""


@pytest.fixture
def project(tmp_path):
    for name, text in {
        "project/live/main.tf": ROOT,
        "project/live/terraform.tfstate": "{}",
        "project/live/notes.txt": "",
        "project/live/.terraform/providers": "",
        "project/modules/queue/main.tf": 'module "name" {\n  source = "../name"\n}\n',
        "project/modules/name/main.tf": "locals {\n  a = 1\n}\n",
        "project/modules/unused/main.tf": "",
        "project/functions/worker/app.py": "",
        "project/.git/HEAD": "",
        "project/secret.pem": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def files(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_copy_holds_what_the_configuration_needs_and_nothing_else(project, tmp_path):
    root = configuration.copy(project / "live", tmp_path / "run")
    assert files(tmp_path / "run") == {
        "live/main.tf",
        "modules/queue/main.tf",
        "modules/name/main.tf",
        "functions/worker/app.py",
    }
    assert root == tmp_path / "run" / "live"


def test_copy_takes_what_it_is_told_to_take(project, tmp_path):
    configuration.copy(project / "live", tmp_path / "run", include=[project / "secret.pem"])
    assert "secret.pem" in files(tmp_path / "run")


def test_copy_leaves_generated_override_files_behind(project, tmp_path):
    (project / "live" / configuration.OVERRIDE).write_text("{}")
    configuration.copy(project / "live", tmp_path / "run")
    assert not any("override" in name for name in files(tmp_path / "run"))


@pytest.mark.parametrize(
    "name",
    ["my.tfvars", "my.auto.tfvars.json", "more.tf.json", "own.tofu", "policy.tftpl", ".terraform.lock.hcl"],
)
def test_copy_takes_every_file_beside_the_root_that_terraform_reads(project, tmp_path, name):
    (project / "live" / name).write_text("{}")
    configuration.copy(project / "live", tmp_path / "run")
    assert f"live/{name}" in files(tmp_path / "run")


@pytest.mark.parametrize(
    "made",
    [".git", ".terraform", ".event-harness", ".venv", ".venv-3.13", "node_modules", "__pycache__", ".build"],
)
def test_copy_leaves_behind_what_tools_have_made_in_a_directory_that_is_named(project, tmp_path, made):
    (project / "live" / "main.tf").write_text('locals {\n  code = "${path.module}/../functions"\n}\n')
    (project / "functions" / "worker" / made).mkdir()
    (project / "functions" / "worker" / made / "large").touch()
    configuration.copy(project / "live", tmp_path / "run")
    assert files(tmp_path / "run") == {"live/main.tf", "functions/worker/app.py"}


def test_copy_does_not_change_the_checkout(project, tmp_path):
    before = files(project)
    configuration.copy(project / "live", tmp_path / "run")
    assert files(project) == before


def test_what_has_changed_since_the_copy_is_named_beside_the_root(project, tmp_path):
    root = project / "live"
    (root / ".terraform.lock.hcl").write_text("of the registry")
    copied = configuration.copy(root, tmp_path / "into")
    (copied / ".terraform.lock.hcl").unlink()
    (copied / configuration.OVERRIDE).write_text("{}")
    assert configuration.changed(root, copied) == []
    (project / "functions/worker/app.py").write_text("edited = True")
    (root / "new.tf").write_text("")
    assert configuration.changed(root, copied) == ["../functions/worker/app.py", "new.tf"]


def test_variables_are_read_as_a_person_would_fill_them_in(project):
    variables = Configuration.read(project / "live").variables
    assert list(variables) == ["must", "owner", "size"]
    assert variables["owner"].default == '"me"'
    assert variables["owner"].type == "string"
    assert variables["size"].default == "{ memory = 256 }"
    assert variables["size"].description == 'How large, in "MB".'
    assert variables["must"].default is None


def test_outputs_modules_and_functions_are_read(project):
    found = Configuration.read(project / "live")
    assert found.outputs == {"event_harness"}
    assert found.local_modules == [project / "modules" / "queue"]
    assert list(found.functions) == ["worker"]


def test_json_syntax_is_read_too(tmp_path):
    (tmp_path / "main.tf.json").write_text(
        json.dumps({"variable": {"a": {"type": "string", "default": "x"}}})
    )
    assert list(Configuration.read(tmp_path).variables) == ["a"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("main.tf", "variable {{", "main.tf can't be read as Terraform"), ("other.txt", "", "holds no *.tf")],
)
def test_what_is_no_configuration_is_refused_in_one_line(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as error:
        Configuration.read(tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_directory_is_refused_with_the_setting_to_correct(tmp_path):
    with pytest.raises(ConfigurationError, match="harness_root"):
        Configuration.read(tmp_path / "nowhere")


def test_file_that_is_not_utf8_is_refused_with_the_offset_of_the_byte(tmp_path):
    (tmp_path / "main.tf").write_bytes(b"# gr\xfc\xdfe\n")
    with pytest.raises(ConfigurationError, match=r"main.tf is not UTF-8 \(byte 0xfc at offset 4\)"):
        Configuration.read(tmp_path)


def test_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "main.tf").touch()
    monkeypatch.setattr("pathlib.Path.read_text", denied)
    with pytest.raises(ConfigurationError, match=r"main\.tf can't be read: Permission denied$"):
        Configuration.read(tmp_path)
