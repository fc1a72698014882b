"""A deployment sees a configuration as plain Terraform does: the same outputs, from the same directory.

The systems need no AWS. What a deployment writes must not reach the checkout.
"""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DeploymentError
from event_harness.terraform import sources, toolchain

ARCHIVE = """
data "archive_file" "a" {{
  type        = "zip"
  {source}
  output_path = "{output}"
}}
output "hash" {{
  value = data.archive_file.a.output_base64sha256
}}
"""


@pytest.fixture(scope="module")
def tools():
    return toolchain.find(target="local")


@pytest.fixture
def project(tmp_path):
    """A repository in a path with blanks and letters that are no ASCII."""
    project = tmp_path / "größe 日本"
    for name in ("live", ".git"):
        (project / name).mkdir(parents=True)
    return project


def put(project, **files):
    for name, text in files.items():
        path = project / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def plain(root: Path, tools, scratch: Path, *flags, **environ):
    """The outputs of plain Terraform, in a copy so that what it writes disturbs nobody."""
    copy = scratch / "plain"
    shutil.copytree(root.parent, copy, symlinks=True)
    environment = {**os.environ, **tools.environ(), **environ}

    def terraform(*arguments):
        command = [str(tools.binary), *arguments]
        done = subprocess.run(
            command, cwd=copy / root.name, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    terraform("init", "-input=false")
    terraform("apply", "-auto-approve", "-input=false", *flags)
    return {name: output["value"] for name, output in json.loads(terraform("output", "-json")).items()}


def contents(project):
    return {
        str(path.relative_to(project)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in project.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def deployed(project, tools, deployment, tmp_path):
    """Deploys the root beside plain Terraform, and returns the outputs of both."""

    def deploy(root=None, *, own_emulator=False, **settings):
        root = root or project / "live"
        before = contents(project)
        record = DeploymentRecord.create(
            tmp_path / "state", root=root, target="local", endpoint_url=deployment.target.endpoint_url
        )
        record.own_emulator = own_emulator
        with Deployment(root, deployment.target, tools, record, project=project, **settings) as system:
            outputs = dict(system.outputs)
        assert contents(project) == before
        return outputs

    return deploy


def test_files_are_found_however_they_are_named(project, tools, deployed, tmp_path):
    put(
        project,
        **{
            "live/main.tf": """
              variable "stage" {
                default = "test"
              }
              locals {
                repo = "${path.module}/.."
              }
              output "joined" {
                value = file(join("/", [path.module, "files", "x.txt"]))
              }
              output "spaced" {
                value = file("${ path.module }/files/x.txt")
              }
              output "bare" {
                value = filebase64sha256("lambda.zip")
              }
              output "by_variable" {
                value = file("${path.module}/config/app-${var.stage}.txt")
              }
              output "built" {
                value = filebase64sha256("${path.module}/.build/fn.zip")
              }
              output "queues" {
                value = [for name in fileset(path.module, "queues/*.json") : jsondecode(file(name)).name]
              }
              output "above" {
                value = fileset("${local.repo}/src", "**")
              }
              output "template" {
                value = templatefile("workflow/x.json", { a = 1 })
              }
              output "all" {
                value = fileset(path.module, "**")
              }
            """,
            "live/files/x.txt": "text",
            "live/lambda.zip": "zip",
            "live/config/app-test.txt": "stage",
            "live/.build/fn.zip": "built",
            "live/queues/a.json": '{"name": "first"}',
            "live/queues/b.json": '{"name": "second"}',
            "live/workflow/x.json": '{"a": ${a}}',
            "src/one/app.py": "code",
        },
    )
    expected = plain(project / "live", tools, tmp_path)
    expected["all"] = [name for name in expected["all"] if not name.startswith((".terraform", "terraform."))]
    found = deployed()
    ours = ("~event_harness", "event_harness_", "terraform.tfstate", ".terraform.lock")
    found["all"] = [name for name in found["all"] if not name.startswith(ours)]
    assert found == expected
    assert expected["queues"] == ["first", "second"]


def test_directory_of_terraform_itself_is_there_with_its_modules(project, tools, deployed, tmp_path):
    put(
        project,
        **{
            "live/main.tf": f"""
              module "queue" {{
                source = "{tmp_path}/fetched"
              }}
              locals {{
                modules = jsondecode(file("${{path.root}}/.terraform/modules/modules.json")).Modules
              }}
              output "module" {{
                value = [for one in local.modules : file("${{path.cwd}}/${{one.Dir}}/x.txt") if one.Key != ""]
              }}
              output "fetched" {{
                value = module.queue
              }}
              output "by_its_place" {{
                value = file(".terraform/modules/queue/x.txt")
              }}
              output "built" {{
                value = file(".terraform/built.txt")
              }}
              data "archive_file" "a" {{
                type        = "zip"
                source_dir  = "${{path.module}}/src"
                output_path = "${{path.root}}/.terraform/archives/a.zip"
              }}
              resource "terraform_data" "build" {{
                provisioner "local-exec" {{
                  command = "echo new > .terraform/new.txt"
                }}
              }}
            """,
            "live/src/app.py": "code",
            "live/.terraform/built.txt": "built before",
            "live/.terraform/modules/queue/x.txt": "of the checkout's own run",
            "live/.terraform/providers/large": "not copied",
        },
    )
    put(
        tmp_path,
        **{
            "fetched/main.tf": """
              output "joined" {
                value = file("${path.cwd}/${path.module}/x.txt")
              }
              output "absolute" {
                value = startswith(path.module, "/")
              }
            """,
            "fetched/x.txt": "fetched",
        },
    )
    found = deployed()
    shutil.rmtree(project / "live/.terraform/modules")
    assert found == plain(project / "live", tools, tmp_path)
    assert found["module"] == ["fetched"]
    assert found["fetched"] == {"joined": "fetched", "absolute": False}


SOURCES = {
    "directory by each key": (
        'for_each    = toset(["worker"])\n  source_dir  = "${path.module}/${each.key}"',
        "${path.module}/.build/${each.key}.zip",
    ),
    "directory above": ('source_dir = "${local.repo}/src"', "${path.module}/../src.zip"),
    "bare file": ('source_file = "src/app.py"', "out.zip"),
    "all but linked directories": (
        'source_dir = "${path.module}/worker"\n  exclude_symlink_directories = true',
        "${path.cwd}/existing.zip",
    ),
}


@pytest.mark.parametrize(("source", "output"), SOURCES.values(), ids=SOURCES)
def test_archives_are_the_same_and_stay_out_of_the_checkout(
    project, tools, deployed, tmp_path, source, output
):
    text = ARCHIVE.format(source=source, output=output)
    if "for_each" in source:
        text = text.replace("data.archive_file.a.", 'data.archive_file.a["worker"].')
    put(
        project,
        **{
            "live/main.tf": 'locals {\n  repo = "${path.module}/.."\n}\n' + text,
            "live/src/app.py": "code",
            "live/worker/app.py": "code",
            "live/worker/node_modules/a/index.js": "module",
            "live/existing.zip": "of an earlier build",
            "src/app.py": "code above",
        },
    )
    os.symlink("../src", project / "live/worker/linked")
    assert deployed() == plain(project / "live", tools, tmp_path)


def test_builds_write_into_the_view_and_not_into_the_checkout(project, tools, deployed, tmp_path):
    put(
        project,
        **{
            "live/main.tf": """
              resource "terraform_data" "build" {
                provisioner "local-exec" {
                  command = "echo new > existing.txt && echo new > ../src/made.txt && date > new.txt"
                }
              }
            """,
            "live/existing.txt": "old",
            "src/made.txt": "old",
        },
    )
    assert deployed() == {}
    assert (project / "live/existing.txt").read_text() == "old"


def test_variable_files_reach_terraform(project, tools, deployed, tmp_path, monkeypatch):
    declared = "".join(f'variable "{name}" {{\n  default = "none"\n}}\n' for name in "abcd")
    put(
        project,
        **{
            "live/main.tf": declared + 'output "all" {\n  value = [var.a, var.b, var.c, var.d]\n}\n',
            "live/x.auto.tfvars": 'a = "auto"\n',
            "live/terraform.tfvars": 'b = "terraform"\n',
        },
    )
    (tmp_path / "more.tfvars").write_text('d = "file"\n')
    monkeypatch.setenv("TF_VAR_c", "environment")
    expected = plain(project / "live", tools, tmp_path, f"-var-file={tmp_path / 'more.tfvars'}")
    assert deployed(var_files=[tmp_path / "more.tfvars"]) == expected
    assert expected == {"all": ["auto", "terraform", "environment", "file"]}


def test_workspace_is_the_one_of_plain_terraform(project, tools, deployed, tmp_path):
    put(
        project,
        **{
            "live/main.tf": """
              locals {
                sizes = { default = 1, dev = 2 }
              }
              resource "terraform_data" "only_here" {
                count = terraform.workspace == "default" ? 1 : 0
              }
              output "all" {
                value = [terraform.workspace, local.sizes[terraform.workspace]]
              }
              output "count" {
                value = length(terraform_data.only_here)
              }
            """
        },
    )
    expected = plain(project / "live", tools, tmp_path)
    assert deployed(own_emulator=True) == expected == {"all": ["default", 1], "count": 1}
    assert deployed(own_emulator=True, workspace="dev") == {"all": ["dev", 2], "count": 0}


def test_root_that_is_reached_through_a_link(project, tools, deployed, tmp_path):
    put(
        project,
        **{
            "live/main.tf": 'output "x" {\n  value = file("../src/x.txt")\n}\n',
            "src/x.txt": "found",
        },
    )
    os.symlink(project / "live", tmp_path / "link")
    assert deployed(tmp_path / "link") == {"x": "found"}


def test_two_roots_of_one_repository_at_once_do_not_meet(project, tools, deployment, tmp_path):
    build = """
      resource "terraform_data" "build" {{
        provisioner "local-exec" {{
          command = "echo {name} > ../shared.txt && sleep 1 && cp ../shared.txt built.txt"
        }}
      }}
      data "archive_file" "a" {{
        type        = "zip"
        source_file = "built.txt"
        output_path = "../shared.zip"
        depends_on  = [terraform_data.build]
      }}
      output "size" {{
        value = data.archive_file.a.output_size
      }}
    """
    put(project, **{f"{name}/main.tf": build.format(name=name) for name in ("live", "other")})
    put(project, shared__txt="")
    before = contents(project)

    def deploy(name):
        root = project / name
        record = DeploymentRecord.create(
            tmp_path / "state", root=root, target="local", endpoint_url=deployment.target.endpoint_url
        )
        with Deployment(root, deployment.target, tools, record):
            return (record.configuration_dir / "../shared.txt").read_text().strip()

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(deploy, ("live", "other"))) == ["live", "other"]
    assert contents(project) == before


def test_broken_file_is_shown_in_terraforms_own_words(project, tools, deployment, tmp_path):
    put(project, **{"live/main.tf": 'variable "a" {}\n\nresource "x" {{\n'})
    record = DeploymentRecord.create(tmp_path / "state", root=project / "live", target="local")
    with pytest.raises(DeploymentError) as error:
        Deployment(project / "live", deployment.target, tools, record).apply()
    said = "init failed (exit code 1): Missing name for resource: All resource blocks must have 2 labels"
    assert said in str(error.value)
    assert "(main.tf line 3)" in str(error.value)
    assert "\n" not in str(error.value)


LARGE = """
  variable "where" {
    default = "node_modules"
  }
  data "archive_file" "a" {
    type        = "zip"
    source_dir  = "${path.module}/${var.where}"
    output_path = "${path.module}/${var.where}/0.zip"
  }
  output "all" {
    value = [data.archive_file.a.output_base64sha256, length(fileset(var.where, "*"))]
  }
  output "left_out_elsewhere" {
    value = fileset(path.module, ".venv/**")
  }
"""


@pytest.mark.parametrize(
    "text", [LARGE.partition("data")[0] + 'output "n" {\n  value = fileset("x", "*")\n}', LARGE]
)
def test_large_directory_beside_the_root_is_there_as_it_is(project, tools, deployed, tmp_path, text):
    put(project, **{"live/main.tf": text, "live/.venv/app.py": "", "live/node_modules/0.zip": "of a build"})
    for number in range(600):
        put(project, **{f"live/node_modules/{number}.js": "", f"live/x/{number}": ""})
    assert deployed() == plain(project / "live", tools, tmp_path)


def test_shown_changes_are_those_of_what_terraform_has_read(project, tools, deployment, tmp_path):
    put(
        project,
        **{
            "live/main.tf": 'output "x" {\n  value = file("${path.module}/../src/x.txt")\n}\n',
            "live/test_it.py": "",
            "src/x.txt": "text",
            "src/unread.txt": "text",
        },
    )
    root = project / "live"
    record = DeploymentRecord.create(
        tmp_path / "state", root=root, target="local", endpoint_url=deployment.target.endpoint_url
    )
    with Deployment(root, deployment.target, tools, record):
        put(project, **{"live/test_it.py": "edited", "src/unread.txt": "edited"})
        assert sources.changed(root, record.sources) == []
        put(project, **{"src/x.txt": "edited"})
        assert sources.changed(root, record.sources) == ["../src/x.txt"]
