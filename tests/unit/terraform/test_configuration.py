import json

import pytest

from event_harness.errors import ConfigurationError
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
        "live/main.tf": ROOT,
        "modules/queue/main.tf": 'module "name" {\n  source = "../name"\n}\n',
        "modules/name/main.tf": "locals {\n  a = 1\n}\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def read(directory, text, name="main.tf", **settings):
    (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return Configuration.read(directory, **settings)


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


def test_tree_holds_each_local_module_once_and_leaves_out_what_is_not_there(project):
    (project / "modules/name/more.tf").write_text('module "gone" {\n  source = "./gone"\n}\n')
    found = [configuration.directory for configuration in Configuration.read(project / "live").tree()]
    assert found == [project / "live", project / "modules/queue", project / "modules/name"]


VALID = {
    "blanks after the end marker of a heredoc": 'a = <<-EOT\n    text\n  EOT  \n  b = "x"',
    "line breaks of Windows": "a = 1\r\n  b = <<EOT\r\ntext\r\nEOT\r\n",
    "comment between a condition and its question mark": 'a = (\n  true\n  # why\n  ? "x" : "y"\n  )',
    "white space markers": 'a = "x ${~ var.a ~} y"',
    "escaped interpolation": 'a = "$${a} %%{b}"',
    "directive with markers": 'a = "%{ if true ~} x %{~ endif }"',
    "name that is no ASCII": "größe = 1",
    "comment before a value": "a = /* x */ 1",
    "index of a for expression": 'a = { for k in ["a"] : k => 1 }["a"]',
    "line break before an attribute": "a = (\n    var.b\n    .c\n  )",
}


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_every_valid_file_is_read(tmp_path, text):
    found = read(tmp_path, f'locals {{\n  {text}\n}}\noutput "there" {{\n  value = 1\n}}\n')
    assert found.outputs == {"there"}
    assert found.broken == ()


def test_byte_order_mark_is_overlooked_in_both_syntaxes(tmp_path):
    read(tmp_path, b'\xef\xbb\xbfoutput "a" {\n  value = 1\n}\n')
    found = read(tmp_path, b'\xef\xbb\xbf{"output": {"b": {"value": 1}}}', "more.tf.json")
    assert found.outputs == {"a", "b"}


@pytest.mark.parametrize("name", ["._main.tf", ".old.tf", "x.tf~", "#x.tf#", "x.tf.bak", "own.tofu"])
def test_files_that_terraform_skips_are_skipped(tmp_path, name):
    (tmp_path / name).write_text("broken {")
    assert read(tmp_path, "", "main.tf").broken == ()


def test_opentofu_reads_its_own_file_in_place_of_the_one_of_the_same_name(tmp_path):
    read(tmp_path, 'output "terraform" {\n  value = 1\n}\n')
    found = read(tmp_path, 'output "tofu" {\n  value = 1\n}\n', "main.tofu", tofu=True)
    assert found.outputs == {"tofu"}
    assert Configuration.read(tmp_path).outputs == {"terraform"}


def test_modules_are_read_by_the_program_that_reads_the_root(tmp_path):
    read(tmp_path, 'module "m" {\n  source = "./m"\n}\n')
    (tmp_path / "m").mkdir()
    read(tmp_path / "m", 'output "tofu" {\n  value = 1\n}\n', "main.tofu", tofu=True)
    assert [one.outputs for one in Configuration.read(tmp_path, tofu=True).tree()] == [set(), {"tofu"}]
    assert len(Configuration.read(tmp_path).tree()) == 1


@pytest.mark.parametrize(
    "content",
    [
        {"variable": {"a": {"default": "x"}}, "provider": {"aws": {"region": "x"}}},
        {"variable": [{"a": {"default": "x"}}], "provider": {"aws": [{"region": "x"}]}},
        {"variable": {"a": [{"default": "x"}]}, "provider": [{"aws": [{"region": "x"}]}]},
        {
            "//": "a comment",
            "variable": {"//": "one", "a": {"default": "x"}},
            "provider": [{"aws": {"region": "x"}}],
        },
    ],
)
def test_json_syntax_is_read_in_all_its_forms(tmp_path, content):
    found = read(tmp_path, json.dumps(content), "main.tf.json")
    assert list(found.variables) == ["a"]
    assert found.variables["a"].default == '"x"'
    assert found.providers == {"": {"region": "x"}}


def test_providers_are_merged_as_terraform_merges_override_files(tmp_path):
    read(
        tmp_path,
        'provider "aws" {\n  region = "a"\n  profile = "b"\n}\nprovider "aws" {\n  alias = "us"\n}\n',
    )
    found = read(tmp_path, 'provider "aws" {\n  region = "c"\n}\n', "a_override.tf")
    assert found.providers == {"": {"region": "c", "profile": "b"}, "us": {"alias": "us"}}


@pytest.mark.parametrize("text", ["variable {{", b"# gr\xfc\xdfe\nvariable {}{"])
def test_file_that_is_not_valid_is_left_to_terraform(tmp_path, text):
    found = read(tmp_path, text)
    assert found.broken == (tmp_path / "main.tf",)


def test_directory_without_a_configuration_is_refused_in_one_line(tmp_path):
    (tmp_path / "other.txt").touch()
    with pytest.raises(
        ConfigurationError, match=r"holds no \*\.tf; name the Terraform root \(harness_root\)$"
    ):
        Configuration.read(tmp_path)


def test_missing_directory_is_refused_with_the_setting_to_correct(tmp_path):
    with pytest.raises(ConfigurationError, match="harness_root"):
        Configuration.read(tmp_path / "nowhere")
