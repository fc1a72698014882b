"""The view holds what plain Terraform would see; nothing that is written there reaches the checkout."""

import os
import re

import pytest

from event_harness.errors import ConfigurationError
from event_harness.terraform import copying, naming, view
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.generated import IMPLICIT_PROVIDER, OVERRIDE


@pytest.fixture
def project(tmp_path):
    """A repository in whose `live` the Terraform root is; it calls one module."""
    for name, text in {
        "live/main.tf": 'module "queue" {\n  source = "../modules/queue"\n}\n',
        "live/payload.zip": "zip",
        "live/.build/fn.zip": "built",
        "modules/queue/main.tf": 'locals {\n  code = "${path.module}/../../functions/${var.name}"\n}\n',
        "functions/worker/app.py": "code",
        "functions/worker/node_modules/a/index.js": "",
        "functions/worker/node_modules/b/index.js": "",
        "web/index.html": "page",
        ".git/HEAD": "",
    }.items():
        put(tmp_path / "project" / name, text)
    return tmp_path / "project"


@pytest.fixture(autouse=True)
def small_budget(monkeypatch):
    """Files take a while to make, so a directory counts as large sooner."""
    monkeypatch.setattr(view, "_FILES", 50)


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make(project, root="live", **settings):
    return view.make(project / root, project.parent / "run", **settings)


def tree(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}


def top(made):
    return made.root.parent


def test_every_file_of_the_project_is_there_whatever_the_configuration_names(project):
    made = make(project)
    expected = tree(project) - {".git/HEAD"}
    assert tree(top(made)) == expected
    assert not [path for path in top(made).rglob("*") if path.is_symlink()]


def test_what_is_written_into_the_view_does_not_reach_the_checkout(project):
    before = {name: (project / name).read_text() for name in tree(project)}
    made = make(project)
    for path in [path for path in top(made).rglob("*") if path.is_file()]:
        path.write_text("overwritten")
    (top(made) / "functions/new.zip").write_text("new")
    assert {name: (project / name).read_text() for name in tree(project)} == before


def test_mode_and_time_of_a_file_are_kept(project):
    script = project / "live/build.sh"
    put(script, "#!/bin/sh\n")
    script.chmod(0o750)
    os.utime(script, ns=(10**18, 10**18))
    copied = (make(project).root / "build.sh").stat()
    assert (copied.st_mode & 0o777, copied.st_mtime_ns) == (0o750, 10**18)


@pytest.mark.parametrize(
    "name",
    [
        *(".git", ".terraform", ".event-harness", ".venv", ".venv-3.13", "__pycache__", ".pytest_cache"),
        *(".mypy_cache", ".ruff_cache", ".tox", ".nox", ".hypothesis", ".terragrunt-cache"),
    ],
)
def test_what_tools_have_made_is_left_out_wherever_it_is(project, name):
    put(project / "functions/worker" / name / "large")
    assert not (top(make(project)) / "functions/worker" / name).exists()


def test_virtual_environment_of_any_name_is_left_out(project):
    put(project / "functions/python/pyvenv.cfg")
    assert not (top(make(project)) / "functions/python").exists()


@pytest.mark.parametrize("name", ["terraform.tfstate", "terraform.tfstate.backup", "terraform.tfstate.d/x/y"])
def test_state_of_the_root_is_left_out_but_not_that_of_another_root(project, name):
    put(project / "live" / name)
    put(project / "network" / name)
    made = make(project)
    assert not (made.root / name).exists()
    assert (top(made) / "network" / name).exists()


@pytest.mark.parametrize("name", [OVERRIDE, IMPLICIT_PROVIDER])
def test_what_up_has_written_is_left_out(project, name):
    put(project / "live" / name, "{}")
    assert not (make(project).root / name).exists()


def test_settings_leave_out_and_include(project):
    put(project / "functions/worker/__pycache__/app.pyc")
    put(project / "live/data/large")
    made = make(project, exclude=["live/data", "*.html"], include=["__pycache__"])
    assert not (made.root / "data").exists()
    assert not (top(made) / "web/index.html").exists()
    assert (top(made) / "functions/worker/__pycache__/app.pyc").exists()


def test_place_of_the_deployments_is_left_out_whatever_its_name(project):
    state = project / "live/state"
    put(state / "deployments/one/record.json")
    made = view.make(project / "live", state / "deployments/one/config", never=[state])
    assert not (made.root / "state").exists()


def large(directory, count=60):
    directory.mkdir(parents=True)
    for number in range(count):
        (directory / str(number)).touch()


def way_of(made, name="node_modules"):
    """How a large directory has come into the view."""
    place = made.root / name
    assert len(list(place.iterdir())) == 60
    if place.is_symlink():
        return "linked"
    ways = {"shared" if file.stat().st_nlink > 1 else "copied" for file in place.iterdir()}
    return " and ".join(sorted(ways))


ZIP = 'data "archive_file" "a" {{\n  source_dir  = "{0}"\n  output_path = "{1}"\n}}\n'
FILE = 'resource "local_file" "f" {{\n  filename = {0}\n}}\n'


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("", "linked"),
        ('locals {\n  a = fileset("${path.module}/node_modules", "**")\n}\n', "linked"),
        (ZIP.format("../functions/worker", "out.zip"), "linked"),
        (FILE.format('"${path.module}/out/x.json"'), "linked"),
        # Older archive providers refuse a link in a directory, and newer ones tell it.
        (ZIP.format("${path.module}/node_modules/a", "${path.module}/out.zip"), "shared"),
        (ZIP.format("${path.module}", "${path.module}/../out.zip"), "shared"),
        (ZIP.format("${path.module}/${var.name}", "out.zip"), "shared"),
        (ZIP.format("${var.name}", "out.zip"), "shared"),
        (FILE.format('"${path.module}/${var.name}.json"'), "shared"),
        (FILE.format('"${path.module}/node_modules/new/x.json"'), "shared"),
        ('locals {\n  out = "${var.where}/x.json"\n}\n' + FILE.format("local.out"), "shared"),
        # These may write over any file.
        (FILE.format("var.where"), "copied"),
        (FILE.format('"${var.where}"'), "copied"),
        (FILE.format('join("/", [path.module, var.where])'), "copied"),
        (
            'resource "null_resource" "n" {\n  provisioner "local-exec" {\n    command = "npm ci"\n  }\n}\n',
            "copied",
        ),
        ('data "external" "e" {\n  program = ["sh", "build.sh"]\n}\n', "copied"),
        ('resource "local_unknown" "f" {\n}\n', "copied"),
        ('action "local_command" "c" {\n}\n', "copied"),
    ],
)
def test_large_directory_is_linked_or_shared_unless_anything_may_write_over_its_files(project, text, way):
    large(project / "live/node_modules")
    put(project / "live/more.tf", text)
    assert way_of(make(project)) == way


@pytest.mark.parametrize(
    "output",
    ["node_modules/7", "${path.module}/node_modules/7", "../live/node_modules/7", "${var.x}/7", "link"],
)
def test_file_that_is_written_is_copied_though_its_directory_is_shared(project, output):
    large(project / "live/node_modules")
    os.symlink("node_modules/7", project / "live/link")
    put(project / "live/more.tf", ZIP.format("${path.module}", output))
    made = make(project)
    (made.root / "node_modules/7").write_text("written")
    (made.root / "node_modules/new").write_text("written")
    assert (project / "live/node_modules/7").read_text() == ""
    assert not (project / "live/node_modules/new").exists()
    assert (made.root / "node_modules/8").stat().st_nlink == 2


def test_files_of_an_unknown_name_but_a_known_ending_are_copied(project):
    large(project / "live/node_modules")
    put(project / "live/node_modules/a/b.zip", "precious")
    put(project / "live/more.tf", ZIP.format("${path.module}", "${path.module}/${var.name}.zip"))
    made = make(project)
    (made.root / "node_modules/a/b.zip").write_text("written")
    assert (project / "live/node_modules/a/b.zip").read_text() == "precious"


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("", "linked"),
        (ZIP.format("${var.name}", "out.zip"), "shared"),
        (FILE.format('"${var.name}/x7"'), "shared"),
        ('data "external" "e" {\n}\n', "copied"),
    ],
)
def test_what_fetched_modules_may_write_is_copied_once_they_are_there(project, text, way):
    large(project / "live/node_modules")
    put(project.parent / "fetched/main.tf", text)
    made = make(project)
    made.protect([Configuration.read(project.parent / "fetched")])
    assert way_of(made) == way


def test_large_directory_that_a_program_may_write_is_copied_while_init_runs(project):
    large(project / "live/node_modules")
    put(project / "live/more.tf", 'data "external" "e" {\n}\n')
    made = view.make(project / "live", project.parent / "run", complete=False)
    assert (made.root / "main.tf").is_file()
    assert not (made.root / "node_modules").exists()
    with made.completing():
        pass
    assert way_of(made) == "copied"
    with made.completing():
        pass
    assert way_of(made) == "copied"


def test_copying_ends_with_init_and_its_error_is_one_line(project, monkeypatch):
    large(project / "live/node_modules")
    put(project / "live/more.tf", 'data "external" "e" {\n}\n')
    made = view.make(project / "live", project.parent / "run", complete=False)
    copied, copy = [], copying.copy

    def slow(source, place):
        copied.append(source)
        if len(copied) == 1:
            made.stopped.wait(60)
        return copy(source, place)

    monkeypatch.setattr(copying, "copy", slow)
    with pytest.raises(KeyboardInterrupt), made.completing():
        raise KeyboardInterrupt
    assert len(copied) <= 1

    def full(source, _place):
        raise OSError(28, "No space left on device", source)

    monkeypatch.setattr(copying, "copy", copy)
    made = view.make(project / "live", project.parent / "again", complete=False)
    monkeypatch.setattr(copying, "copy", full)
    with pytest.raises(ConfigurationError) as error, made.completing():
        pass
    said = r"\S+/node_modules/\d+ can't be copied for the deployment: No space left on device"
    assert re.fullmatch(said, str(error.value))


def test_shared_file_is_copied_once_a_fetched_module_may_write_it(project):
    large(project / "live/node_modules")
    put(project / "live/more.tf", ZIP.format("${path.module}", "out.zip"))
    put(project.parent / "fetched/main.tf", FILE.format('"${var.where}/7"'))
    made = make(project)
    assert (made.root / "node_modules/7").stat().st_nlink == 2
    made.protect([Configuration.read(project.parent / "fetched")])
    assert (made.root / "node_modules/7").stat().st_nlink == 1
    assert (made.root / "node_modules/8").stat().st_nlink == 2


def test_what_can_not_be_shared_is_copied(project, monkeypatch):
    def refused(*_arguments, **_options):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refused)
    large(project / "live/node_modules")
    put(project / "live/more.tf", ZIP.format("${path.module}", "out.zip"))
    assert way_of(make(project)) == "copied"


def test_large_directory_in_a_directory_that_is_archived_is_shared_whole(project):
    large(project / "functions/worker/node_modules/c")
    put(project / "live/more.tf", ZIP.format("../functions/worker", "out.zip"))
    assert way_of(make(project), "../functions/worker/node_modules/c") == "shared"


@pytest.mark.parametrize("name", [".venv", ".git", "__pycache__", ".terraform"])
def test_what_is_left_out_is_there_if_the_configuration_names_it(project, name):
    put(project / "live" / name / "lib/app.py", "code")
    put(project / "live/more.tf", f'locals {{\n  a = fileset("${{path.module}}/{name}", "**")\n}}\n')
    assert (make(project).root / name / "lib/app.py").read_text() == "code"
    again = view.make(project / "live", project.parent / "again", exclude=[name])
    assert not (again.root / name).exists()


def test_virtual_environment_that_the_configuration_names_is_there(project):
    put(project / "functions/python/pyvenv.cfg")
    put(project / "live/more.tf", 'locals {\n  a = "../functions/python/lib"\n}\n')
    assert (top(make(project)) / "functions/python/pyvenv.cfg").exists()


def test_what_an_archive_leaves_out_is_not_named(project):
    put(project / "live/__pycache__/x.pyc")
    put(project / "live/more.tf", 'locals {\n  excludes = ["x", "__pycache__"]\n}\n')
    assert not (make(project).root / "__pycache__").exists()


def test_links_stay_links_and_lead_to_the_same_within_the_view(project):
    os.symlink("../functions/worker", project / "live/relative")
    os.symlink(project / "functions/worker", project / "live/absolute")
    root = make(project).root
    for name in ("relative", "absolute"):
        assert (root / name).is_symlink()
        assert (root / name).resolve() == (root / "../functions/worker").resolve()


def test_link_out_of_the_project_or_to_what_is_left_out_leads_where_it_led(project):
    put(project.parent / "shared/x.txt", "shared")
    os.symlink("../../shared", project / "live/outside")
    os.symlink("../.git", project / "live/repository")
    root = make(project).root
    assert (root / "outside/x.txt").read_text() == "shared"
    assert (root / "repository/HEAD").exists()


def test_dangling_and_circular_links_are_no_matter(project):
    os.symlink("nowhere", project / "live/dangling")
    os.symlink(".", project / "live/circular")
    os.symlink("itself", project / "live/itself")
    root = make(project).root
    assert os.readlink(root / "dangling") == "nowhere"
    assert (root / "circular").resolve() == root
    assert (root / "itself").is_symlink()


def test_pipe_is_left_out_and_does_not_block(project):
    os.mkfifo(project / "live/pipe")
    assert not (make(project).root / "pipe").exists()


def test_what_lies_beside_the_project_is_linked(project):
    put(project.parent / "other/src/app.py", "beside")
    root = make(project).root
    assert (root / "../../other/src/app.py").read_text() == "beside"
    assert (root / "../../other").is_symlink()


def test_file_beside_the_project_that_is_written_is_a_copy(project):
    put(project.parent / "build/old.zip", "precious")
    put(project.parent / "build/other.txt", "beside")
    put(project / "live/more.tf", ZIP.format("x", "${path.module}/../../build/old.zip"))
    put(project / "live/yet_more.tf", FILE.format('"../../build/${var.x}.json"'))
    root = make(project).root
    for name in ("old.zip", "new.json"):
        (root / "../../build" / name).write_text("written")
    assert (project.parent / "build/old.zip").read_text() == "precious"
    assert not (project.parent / "build/new.json").exists()
    assert (root / "../../build/other.txt").read_text() == "beside"


def test_module_outside_of_the_project_is_copied(project):
    put(project.parent / "shared/module/main.tf", "")
    put(project / "live/more.tf", 'module "m" {\n  source = "../../shared/module"\n}\n')
    root = make(project).root
    assert (root / "../../shared/module/main.tf").exists()
    assert not (root / "../../shared").is_symlink()
    assert not (root / "../../shared/module").is_symlink()


def test_without_a_repository_the_project_is_copied(project):
    (project / ".git/HEAD").unlink()
    (project / ".git").rmdir()
    assert (make(project).root / "../web").is_symlink()
    made = view.make(project / "live", project.parent / "second", project=project)
    assert not (made.root / "../web").is_symlink()


def test_without_a_repository_what_lies_beside_pytests_directory_and_the_root_is_copied(project):
    (project / ".git/HEAD").unlink()
    (project / ".git").rmdir()
    put(project / "out/app.zip", "precious")
    (project / "tests").mkdir()
    root = view.make(project / "live", project.parent / "second", project=project / "tests").root
    (root / "../out/app.zip").write_text("of the deployment")
    assert (project / "out/app.zip").read_text() == "precious"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('no file exists at "./.git/HEAD"', [".git"]),
        ("could not archive missing directory: .venv/lib", [".venv"]),
        ("no file exists at ./assets/__pycache__", ["__pycache__"]),
        ("no file exists at ./digit/HEAD.git", []),
    ],
)
def test_error_that_names_what_is_left_out_is_known(text, names):
    assert naming.left_out_named(text) == names


def test_root_that_is_reached_through_a_link_is_seen_where_it_is(project):
    os.symlink(project / "live", project.parent / "link")
    made = view.make(project.parent / "link", project.parent / "run")
    assert (made.root / "../functions/worker/app.py").read_text() == "code"


def test_path_with_blanks_and_letters_that_are_no_ascii_is_copied(tmp_path):
    put(tmp_path / "größe 日本/mit leer/main.tf")
    put(tmp_path / "größe 日本/mit leer/ä b.txt", "text")
    made = view.make(tmp_path / "größe 日本/mit leer", tmp_path / "a b")
    assert (made.root / "ä b.txt").read_text() == "text"


def test_file_that_may_not_be_read_is_left_to_terraform(project, monkeypatch):
    opened = os.open

    def denied(path, *arguments):
        if str(path).endswith("project/live/payload.zip"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)

    monkeypatch.setattr("os.open", denied)
    assert (make(project).root / "payload.zip").is_symlink()


def test_view_that_can_not_be_written_is_one_line(project):
    put(project.parent / "run", "a file")
    with pytest.raises(ConfigurationError, match="can't be copied for the deployment: ") as error:
        make(project)
    assert "\n" not in str(error.value)
