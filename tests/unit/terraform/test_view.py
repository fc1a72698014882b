"""The view holds what plain Terraform would see; nothing that is written there reaches the checkout."""

import os

import pytest

from event_harness.errors import ConfigurationError
from event_harness.terraform import view
from event_harness.terraform.configuration import IMPLICIT_PROVIDER, OVERRIDE


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


def large(directory, count=600):
    directory.mkdir(parents=True)
    for number in range(count):
        (directory / str(number)).touch()


def test_large_directory_that_the_configuration_does_not_name_is_linked(project):
    large(project / "live/node_modules")
    made = make(project)
    assert (made.root / "node_modules").is_symlink()
    assert len(list((made.root / "node_modules").iterdir())) == 600


@pytest.mark.parametrize(
    "text",
    [
        'locals {\n  a = "${path.module}/node_modules"\n}\n',
        'locals {\n  a = join("/", [path.module, "node_modules"])\n}\n',
        'locals {\n  a = "../node_modules/x"\n}\n',
        'resource "null_resource" "n" {\n  provisioner "local-exec" {\n    command = "npm ci"\n  }\n}\n',
        'data "external" "e" {\n  program = ["sh", "build.sh"]\n}\n',
        'resource "local_file" "f" {\n}\n',
        "locals {\n  exclude_symlink_directories = true\n}\n",
    ],
)
def test_large_directory_that_may_be_written_or_told_from_a_link_is_copied(project, text):
    large(project / "live/node_modules")
    put(project / "live/more.tf", text)
    made = make(project)
    assert not (made.root / "node_modules").is_symlink()
    assert len(list((made.root / "node_modules").iterdir())) == 600


def test_large_directory_is_copied_once_a_fetched_module_may_write_there(project):
    large(project / "live/node_modules")
    made = make(project)
    made.copy_linked()
    assert not (made.root / "node_modules").is_symlink()
    assert len(list((made.root / "node_modules").iterdir())) == 600


def test_large_directory_in_a_directory_that_is_named_is_copied_whole(project):
    large(project / "functions/worker/node_modules/c")
    made = make(project)
    assert not (top(made) / "functions/worker/node_modules/c").is_symlink()


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
    assert view.left_out_named(text) == names


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
