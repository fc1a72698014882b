"""What a function's code was made from: told exactly, made again exactly, or told apart with the reason.

The archives are made by the stand-in for hashicorp/archive, in a view of the project, as terraform does.
"""

import json
import os
import shutil
import zipfile
from functools import partial

import pytest

from event_harness.terraform import code_overrides, function_code, modules, view
from event_harness.terraform.origins import Origins
from event_harness.terraform.provider_3_39.archive_provider import archive_file

ARCHIVE = 'data "archive_file" "code" {{\n  type = "zip"\n  output_path = "code.zip"\n{}\n}}\n'
DIRECTORY = ARCHIVE.format('  source_dir = "${path.module}/../src"')
STATE = "state.json"
FILES = "files"  # the bucket whose keys are paths


class Project:
    """A project in a directory of its own, deployed by a terraform of a few lines."""

    def __init__(self, directory):
        self.directory = directory
        self.root = directory / "project" / "live"
        self.deployments = 0
        self.write("src/app.py", "def handler(event, context): ...\n")
        self.write("src/lib/helper.py", "HELP = 1\n")

    def write(self, name, text):
        path = self.directory / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def apply(self, configuration, *archives, functions=("code",), build=None, managed=(), attributes=None):
        """Deploy it: read each archive in the view and write the state. Returns the code of its functions.

        Args:
            configuration: the text of `main.tf`.
            archives: the arguments of each archive, with `key` for its key.
            functions: names of functions; all of them run the first archive, unless they name its key.
            build: a command that works in the view before the archives are made.
            managed: further managed resources of the state.
            attributes: further attributes of the functions.
        """
        self.write("live/main.tf", configuration)
        self.deployments += 1
        self.deployment = self.directory / f"d{self.deployments}"
        made = view.make(self.root, self.deployment / "config", project=self.directory / "project")
        if build:
            build(made.root)
        data, lambdas = [], []
        before = os.getcwd()
        os.chdir(made.root)
        try:
            for arguments in archives:
                key = arguments.pop("key", None)
                state = archive_file({"type": "zip", "output_path": "code.zip", **arguments})
                data.append({"attributes": state} | ({} if key is None else {"index_key": key}))
        finally:
            os.chdir(before)
        for name in functions:
            of = next((one for one in data if one.get("index_key") == name), data[0] if data else None)
            code = {"filename": of["attributes"]["output_path"]} if of else {}
            hashes = {"source_code_hash": of["attributes"]["output_base64sha256"]} if of else {}
            lambdas.append(
                {
                    "index_key": name,
                    "attributes": {"function_name": f"f-{name}", **code, **hashes, **(attributes or {})},
                }
            )
        resources = [
            {"mode": "data", "type": "archive_file", "name": "code", "instances": data},
            {"mode": "managed", "type": "aws_lambda_function", "name": "f", "instances": lambdas},
            *managed,
        ]
        (self.deployment / STATE).write_text(json.dumps({"resources": resources}))
        self.origins = Origins(made, self.deployment, {})
        directory_of = partial(
            modules.directory_of, configuration=made.root, data_dir=self.deployment / "data"
        )
        self.archives = data
        return function_code.read(self.deployment / STATE, self.origins, directory_of, FILES)

    def again(self, *applied, **more):
        """What a new deployment's provider makes of the project as it is now: the digest."""
        self.apply(*applied, **more)
        return self.archives[0]["attributes"]["output_base64sha256"]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def edit_and_compare(project, code, name, text, *applied, **more):
    """Edit a file; the code made again must be what a new deployment would make, byte by byte."""
    left_out = project.origins.left_out
    assert (
        code.made(left_out).digest == code.digest == project.archives[0]["attributes"]["output_base64sha256"]
    )
    project.write(name, text)
    made = code.made(left_out)
    assert made.digest != code.digest
    assert made.digest == project.again(*applied, **more)


def test_directory_is_packed_again_byte_by_byte_as_a_new_deployment_would(project):
    applied = DIRECTORY, {"source_dir": "./../src"}
    (code,) = project.apply(*applied)
    assert code.address == "data.archive_file.code"
    assert code.functions == {'aws_lambda_function.f["code"]': "f-code"}
    assert code.names == ["app.py", "lib/helper.py"]
    assert code.why_not == ""
    edit_and_compare(project, code, "src/app.py", "edited", *applied)


@pytest.mark.parametrize("absolute", [False, True])
def test_function_from_the_bucket_of_files_is_that_of_the_file(project, absolute):
    """The deployment makes it from there; its `filename` is the key, behind the root of the view."""
    (by_name,) = project.apply(DIRECTORY, {"source_dir": "./../src"})
    deployment = project.directory / "d2"
    root = deployment / project.origins.copy_of("").relative_to(project.deployment)
    place = root if absolute else deployment / code_overrides.ROOT
    attributes = {"filename": None, "s3_bucket": FILES, "s3_key": f"{place}/code.zip"}
    (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"}, attributes=attributes)
    assert code == by_name
    attributes = {"filename": None, "s3_bucket": "another", "s3_key": f"{place}/code.zip"}
    assert project.apply(DIRECTORY, {"source_dir": "./../src"}, attributes=attributes) == []


def test_file_that_is_added_or_removed_is_packed_too(project):
    applied = DIRECTORY, {"source_dir": "./../src"}
    (code,) = project.apply(*applied)
    (project.directory / "project/src/lib/helper.py").unlink()
    edit = project.write("src/new.py", "new")
    assert code.holds(edit)
    made = code.made(project.origins.left_out)
    assert made.names == ["app.py", "new.py"]
    assert made.digest == project.again(*applied)


def test_what_a_view_leaves_out_is_left_out_again(project):
    (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"})
    project.write("src/__pycache__/app.pyc", "compiled by a local test")
    project.write("src/.venv/pyvenv.cfg", "")
    assert code.made(project.origins.left_out).digest == code.digest


@pytest.mark.parametrize("mode", [None, "0644"])
def test_one_file_is_packed_again(project, mode):
    applied = (
        ARCHIVE.format('  source_file = "${path.module}/../src/app.py"'),
        {"source_file": "./../src/app.py", "output_file_mode": mode},
    )
    (code,) = project.apply(*applied)
    assert code.names == ["app.py"]
    edit_and_compare(project, code, "src/app.py", "edited", *applied)


def blocks(*pairs):
    return "".join(
        f'  source {{\n    filename = "{name}"\n    content = {text}\n  }}\n' for name, text in pairs
    )


def test_contents_that_are_files_are_packed_again(project):
    helper = (project.directory / "project/src/lib/helper.py").read_text()
    app = (project.directory / "project/src/app.py").read_text()
    configuration = ARCHIVE.format(
        blocks(
            ("main.py", 'file("${path.module}/../src/app.py")'),
            ("lib/h.py", 'file("../src/lib/helper.py")'),
        )
    )
    (code,) = project.apply(
        configuration,
        {"source": [{"filename": "main.py", "content": app}, {"filename": "lib/h.py", "content": helper}]},
    )
    edited = {
        "source": [{"filename": "main.py", "content": app}, {"filename": "lib/h.py", "content": "HELP = 2"}]
    }
    edit_and_compare(project, code, "src/lib/helper.py", "HELP = 2", configuration, edited)


def test_single_content_that_is_a_file_is_packed_again(project):
    app = (project.directory / "project/src/app.py").read_text()
    configuration = ARCHIVE.format(
        '  source_content = file("${path.root}/../src/app.py")\n  source_content_filename = "app.py"'
    )
    (code,) = project.apply(configuration, {"source_content": app, "source_content_filename": "app.py"})
    edited = {"source_content": "edited", "source_content_filename": "app.py"}
    edit_and_compare(project, code, "src/app.py", "edited", configuration, edited)


def test_file_of_each_instance_is_told_by_its_key(project):
    project.write("src/a.py", "a")
    project.write("src/b.py", "b")
    configuration = ARCHIVE.format(
        '  for_each = toset(["a", "b"])\n'
        + blocks(("app.py", 'file("${path.module}/../src/${each.key}.py")'))
    )
    archives = [
        {"key": key, "output_path": f"{key}.zip", "source": [{"filename": "app.py", "content": key}]}
        for key in ("a", "b")
    ]
    codes = project.apply(configuration, *archives, functions=("a", "b"))
    assert [code.why_not for code in codes] == ["", ""]
    assert [code.address for code in codes] == [f'data.archive_file.code["{key}"]' for key in ("a", "b")]
    assert [code.files for code in codes] == [
        [str(project.directory / f"project/src/{key}.py")] for key in ("a", "b")
    ]


@pytest.mark.parametrize(
    "expression",
    [
        'templatefile("${path.module}/../src/app.py", {})',
        'replace(file("${path.module}/../src/app.py"), "a", "b")',
        "local.text",
        "file(var.path)",
        'file("${path.module}/../src/lib/helper.py")',
        '"text"',
    ],
    ids=["template", "function", "local", "variable", "another file", "text"],
)
def test_content_of_another_expression_is_not_made_again(project, expression):
    app = (project.directory / "project/src/app.py").read_text()
    (code,) = project.apply(
        ARCHIVE.format(blocks(("app.py", expression))), {"source": [{"filename": "app.py", "content": app}]}
    )
    assert code.why_not == 'its content is another expression than file("PATH")'


def test_dynamic_blocks_are_not_made_again(project):
    configuration = ARCHIVE.format(
        '  dynamic "source" {\n    for_each = fileset("../src", "*.py")\n    content {\n'
        '      filename = source.value\n      content = file("../src/${source.value}")\n    }\n  }'
    )
    app = (project.directory / "project/src/app.py").read_text()
    (code,) = project.apply(configuration, {"source": [{"filename": "app.py", "content": app}]})
    assert code.why_not == 'its content is another expression than file("PATH")'


def test_several_functions_share_one_archive(project):
    (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"}, functions=("one", "two"))
    assert list(code.functions.values()) == ["f-one", "f-two"]
    assert code.why_not == ""


def test_excluded_files_are_excluded_again(project):
    project.write("src/test_app.py", "a test")
    excludes = {"source_dir": "./../src", "excludes": ["test_*.py", "**/notes"]}
    applied = ARCHIVE.format('  source_dir = "../src"\n  excludes = ["test_*.py", "**/notes"]'), excludes
    (code,) = project.apply(*applied)
    project.write("src/test_app.py", "another test")
    project.write("src/lib/notes", "excluded, too")
    assert code.made(project.origins.left_out).digest == code.digest
    assert code.may_grow
    edit_and_compare(project, code, "src/app.py", "edited", *applied)


def test_files_may_not_be_added_where_an_expression_excludes_some(project):
    configuration = ARCHIVE.format(
        '  source_dir = "../src"\n  excludes = setsubtract(fileset("../src", "**"), ["app.py"])'
    )
    (code,) = project.apply(configuration, {"source_dir": "./../src", "excludes": ["lib/helper.py"]})
    assert code.why_not == ""
    assert not code.may_grow


def rewrite(root):
    """A build that writes the same bytes again."""
    path = root / "../src/app.py"
    text = path.read_text()
    path.unlink()
    path.write_text(text)


def build_elsewhere(root):
    shutil.copytree(root / "../src", root / "build")


@pytest.mark.parametrize(
    ("build", "directory"), [(rewrite, "./../src"), (build_elsewhere, "build")], ids=["in place", "elsewhere"]
)
def test_what_a_command_has_built_is_told_apart(project, build, directory):
    (code,) = project.apply(DIRECTORY, {"source_dir": directory}, build=build)
    assert code.why_not == "a command has built it"


def test_archive_that_is_a_file_of_the_project_is_taken_as_it_is(project):
    with zipfile.ZipFile(project.write("live/app.zip", ""), "w") as archive:
        archive.writestr("app.py", "one")
    (code,) = project.apply("", attributes={"filename": "./app.zip"})
    assert code.why_not == ""
    assert code.made(project.origins.left_out).digest == code.digest
    content = (project.root / "app.zip").read_bytes() + b"more"
    (project.root / "app.zip").write_bytes(content)
    assert code.made(project.origins.left_out).content == content


def test_archive_that_a_command_has_built_is_told_apart(project):
    (code,) = project.apply(
        "",
        attributes={"filename": "builds/app.zip"},
        build=lambda root: (root / "builds").mkdir() or (root / "builds/app.zip").write_bytes(b"zip"),
    )
    assert code.why_not == "a command has built app.zip"


def test_archive_in_a_bucket_is_found_by_its_object(project):
    an_object = {
        "mode": "managed",
        "type": "aws_s3_object",
        "name": "code",
        "instances": [{"attributes": {"bucket": "b", "key": "k", "source": "code.zip"}}],
    }
    (code,) = project.apply(
        DIRECTORY,
        {"source_dir": "./../src"},
        managed=[an_object],
        attributes={"filename": None, "s3_bucket": "b", "s3_key": "k"},
    )
    assert code.functions
    assert code.why_not == ""


def test_image_has_no_code_here(project):
    assert project.apply("", attributes={"image_uri": "x", "filename": None}) == []


def other(type_, **attributes):
    return {"mode": "managed", "type": type_, "name": "x", "instances": [{"attributes": attributes}]}


@pytest.mark.parametrize("name", ["output_base64sha256", "output_md5", "output_sha"])
def test_code_that_something_else_depends_on_is_not_made_again(project, name):
    project.apply(DIRECTORY, {"source_dir": "./../src"})
    digest = project.archives[0]["attributes"][name]
    for resource in (
        other("aws_lambda_layer_version", source_code_hash=digest),
        other("aws_ssm_parameter", value=f"version {digest}"),
        other("aws_ecs_task_definition", nested=[{"environment": {"V": digest}}]),
    ):
        (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"}, managed=[resource])
        assert code.why_not == f"{resource['type']}.x depends on it, too"


def test_digest_of_one_of_its_files_elsewhere_counts_too(project):
    import hashlib

    content = (project.directory / "project/src/app.py").read_bytes()
    environment = [{"variables": {"VERSION": hashlib.sha256(content).hexdigest()}}]
    (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"}, attributes={"environment": environment})
    assert code.why_not == 'aws_lambda_function.f["code"] depends on it, too'


def test_function_that_publishes_versions_is_not_synced(project):
    (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"}, attributes={"publish": True})
    assert code.why_not == 'aws_lambda_function.f["code"] publishes versions'


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
def test_provider_that_packs_the_same_files_into_other_bytes_is_no_obstacle(project, monkeypatch, packing):
    """hashicorp/archive is written in Go, whose deflate gives other bytes."""
    from event_harness.terraform.provider_3_39 import archive_provider

    def repacked(entries):
        import io

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", packing) as archive:
            for name, content, mode in entries:
                info = zipfile.ZipInfo(name, date_time=(2049, 1, 1, 0, 0, 0))
                info.external_attr = mode << 16
                archive.writestr(info, content)
        return buffer.getvalue()

    ours = archive_provider.zipped
    monkeypatch.setattr(archive_provider, "zipped", lambda entries: calls.pop(0)(entries))
    calls = [repacked, ours, ours]
    (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"})
    assert code.digest != project.archives[0]["attributes"]["output_base64sha256"]
    assert code.why_not == ""
    assert code.made(project.origins.left_out).digest == code.digest


@pytest.mark.parametrize("change", ["content", "mode", "name"])
def test_provider_that_packs_something_else_is_noticed(project, monkeypatch, change):
    from event_harness.terraform.provider_3_39 import archive_provider

    ours = archive_provider.zipped

    def differently(entries):
        name, content, mode = entries[0]
        changed = {
            "content": (name, content + b"x", mode),
            "mode": (name, content, 0o755),
            "name": (f"x{name}", content, mode),
        }
        return ours([changed[change], *entries[1:]])

    calls = [differently, ours]
    monkeypatch.setattr(archive_provider, "zipped", lambda entries: calls.pop(0)(entries))
    (code,) = project.apply(DIRECTORY, {"source_dir": "./../src"})
    assert code.why_not == "the provider has packed it differently"


def test_directory_that_the_view_only_links_is_packed_with_all_that_is_in_it(project, monkeypatch):
    """Large directories aren't copied, so nothing is left out of them."""
    monkeypatch.setattr(view, "_FILES", 0)
    project.write("live/large/app.py", "app")
    project.write("live/large/__pycache__/app.pyc", "compiled")
    (code,) = project.apply('variable "directory" {}\n', {"source_dir": "large"})
    assert code.names == ["__pycache__/app.pyc", "app.py"]
    assert code.made(project.origins.left_out).digest == code.digest


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("", None),
        ("module.a", "a"),
        ("module.a[0].module.b", "a.b"),
        ('module.a["x.module.y"].module.b["[1]"]', "a.b"),
    ],
)
def test_directory_of_a_module_is_found_by_its_address(tmp_path, address, key):
    (tmp_path / "data/modules").mkdir(parents=True)
    listed = [{"Key": "a", "Dir": "modules/a"}, {"Key": "a.b", "Dir": "modules/a/../b"}]
    (tmp_path / "data/modules/modules.json").write_text(json.dumps({"Modules": listed}))
    expected = {None: "", "a": "modules/a", "a.b": "modules/b"}[key]
    assert modules.directory_of(address, tmp_path, tmp_path / "data") == tmp_path / expected
