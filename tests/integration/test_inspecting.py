"""Coverage and a debugger see what functions run on the local AWS emulator.

One kept deployment of `systems/parcels` serves all: two functions in a row, joined by a queue.
"""

import json
import re
import signal
import time

import pytest
from debug_adapter import Editor, when_printed
from documented import command_of
from projects import REPOSITORY, Project

from event_harness.inspecting.debugging import FIRST_PORT
from event_harness.machine.ports import is_free

TESTS = """
import pytest

@pytest.mark.parametrize("kilograms", [5, 40])
def test_parcel_arrives(producer, listener, kilograms):
    assert listener.wait_for(producer.send({"kilograms": kilograms})).json()["kilograms"] == kilograms

def test_breakpoint(producer, listener):
    listener.wait_for(producer.send({"kilograms": 50, "stop": True}))
"""
ARRIVES = "-k=arrives"
COVERAGE = (*command_of("docs/debugging.md", "--cov").split()[1:], "--cov=.", "--cov-report=json")
WAITS = re.compile(
    r"(?P<name>\S+) waits for a debugger on 127\.0\.0\.1:(?P<port>\d+); "
    r"localRoot (?P<local>\S+), remoteRoot (?P<remote>\S+)"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project, with its deployment kept by a first session, which measures; destroyed at the end."""
    directory = tmp_path_factory.mktemp("parcels") / "project"
    # Not vendored: coverage counts the functions that are in the project, and the listener's shouldn't be.
    made = Project(directory, TESTS, system="parcels", vendored=False)
    made.first = made.run(*COVERAGE, ARRIVES, "--harness-keep")
    yield made
    made.command("sweep", re.search(r"kept deployment (\w+)", made.first)[1])
    assert made.left() == []


def covered(project):
    """The report of coverage: path -> its facts."""
    report = json.loads((project.directory / "coverage.json").read_text())
    (project.directory / "coverage.json").unlink()
    return report["files"]


def left_of_sessions(project):
    """What a session itself has left beside the kept deployment."""
    state = project.directory / ".event-harness"
    return sorted(
        path.name for path in state.iterdir() if path.name not in (".gitignore", "deployments", "logs")
    )


def assert_exact(files, moved=0):
    """The lines and branches that two parcels run: a light one, and a heavy one, which a queue leads on.

    The lines of weights.py are `moved` further down.
    """
    sorter, weights, loader = (
        files[f"functions/{name}.py"] for name in ("sorter/app", "sorter/weights", "loader")
    )
    assert sorter["executed_lines"] == [3, 4, 6, 7, 9, 12, 14, 15, 16, 17]
    assert sorter["missing_branches"] == []
    assert weights["executed_lines"] == [line + moved for line in (4, 6, 7, 8, 9, 11)]
    assert weights["missing_lines"] == [10 + moved]
    assert weights["missing_branches"] == [[9 + moved, 10 + moved]]
    # The loader is reached only through the queue of heavy parcels, and its archive names it app.py.
    assert loader["executed_lines"] == [3, 4, 5, 7, 9, 12, 14, 15, 16, 19, 20, 22, 25]
    assert loader["missing_lines"] == [17, 21, 23, 24]
    assert loader["missing_branches"] == [[16, 17], [20, 21], [22, 23]]
    assert "test_parcels.py" in files
    assert not [name for name in files if "event_listener" in name or name.startswith("/")]


def test_coverage_sees_the_exact_lines_and_branches_that_functions_run(project):
    assert_exact(covered(project))
    assert left_of_sessions(project) == []
    assert list(project.directory.glob(".coverage.*")) == []


def test_coverage_sees_synced_code_by_its_new_lines_in_a_reused_deployment_with_workers(project):
    """The kept deployment gets the code anew, so the lines are those of the changed file."""
    file = project.directory / "functions" / "sorter" / "weights.py"
    before = file.read_text()
    file.write_text("# a new line\n" + before)
    try:
        project.run(*COVERAGE, ARRIVES, "--harness-reuse", "-n2")
    finally:
        file.write_text(before)
    assert_exact(covered(project), moved=1)
    assert left_of_sessions(project) == []


LASTS = """
import pathlib, time, pytest

@pytest.mark.parametrize("worker", range(2))
def test_lasts(deployment, worker):
    while worker == 0 and not list(pathlib.Path().glob(".coverage.*")):
        time.sleep(0.1)  # until the other worker has ended, and left its data to pytest-cov
    if worker == 0:
        pathlib.Path("lasts").touch()
        time.sleep(3600)
"""


def test_interrupted_session_with_workers_leaves_no_data_of_coverage(project):
    tests, begun = project.directory / "test_lasts.py", project.directory / "lasts"
    tests.write_text(LASTS)
    with project.start("test_lasts.py", "--cov=functions", "--harness-reuse", "-n2") as process:
        until = time.monotonic() + 300
        while not begun.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=300)
    assert begun.exists(), printed
    assert process.returncode == 2, printed
    assert [path.name for path in project.directory.glob(".coverage*")] == []
    assert left_of_sessions(project) == []
    tests.unlink()
    begun.unlink()


def test_omit_and_source_of_the_project_count_for_functions(project):
    (project.directory / ".coveragerc").write_text("[run]\nomit = */weights.py\nbranch = true\n")
    project.run("--cov=functions", "--cov-report=json", ARRIVES, "--harness-reuse")
    (project.directory / ".coveragerc").unlink()
    assert sorted(covered(project)) == ["functions/loader.py", "functions/sorter/app.py"]


def test_worker_that_times_out_does_not_lose_its_lines(project):
    """The function sleeps longer than its timeout; MiniStack ends its process."""
    tests = project.directory / "test_late.py"
    tests.write_text(
        "import pytest\nfrom event_harness import InputFailedError\n"
        "def test_late(producer, listener):\n"
        "    with pytest.raises(InputFailedError, match='timed out'):\n"
        "        sent = producer.send({'kilograms': 60, 'fragile': True, 'late': True})\n"
        "        listener.wait_for(sent, timeout=300)\n"
    )
    project.run("--cov=functions", "--cov-branch", "--cov-report=json", "test_late.py", "--harness-reuse")
    tests.unlink()
    loader = covered(project)["functions/loader.py"]
    assert {17, 23} <= set(loader["executed_lines"])
    assert 24 in loader["missing_lines"]


def debug(project, *arguments, component="sorter", sla=60):
    """A session with a debugger. After that has gone, a busy machine needs much of `sla`."""
    line = command_of("docs/debugging.md", "--harness-debug")
    return project.start(
        *line.replace("text_processor", component).replace("upper_case", "arrives").split()[1:],
        *("--harness-reuse", f"--harness-sla={sla}", *arguments),
    )


def attached(process):
    """An editor that is attached as the printed line says, and what the line says."""
    said = when_printed(process.stdout, WAITS)
    return Editor(int(said["port"]), {"pathMappings": [mapping(said)]}), said


def mapping(said):
    return {"localRoot": said["local"], "remoteRoot": said["remote"]}


PAGE = (REPOSITORY / "docs" / "debugging.md").read_text(encoding="utf-8")


def vs_code(project):
    """The entry of the page's launch.json, as VS Code would send it for this project."""
    text = PAGE.partition("```json\n")[2].partition("```")[0]
    return json.loads(text.replace("${workspaceFolder}", str(project.directory)))["configurations"][0]


def pycharm(project):
    """The same from the fields that the page names for PyCharm."""
    table = PAGE.partition("### PyCharm")[2].partition("###")[0]
    rows = re.findall(r"^\| ([\w ]+?)(?: \(.*?\))? \| `(.*?)`( in your project)? \|$", table, re.MULTILINE)
    fields = {name: f"{project.directory}/{value}" if within else value for name, value, within in rows}
    assert list(fields) == ["Remote address", "Local project path", "Remote project path"]
    host, port = fields["Remote address"].split(":")
    roots = {"localRoot": fields["Local project path"], "remoteRoot": fields["Remote project path"]}
    return {"connect": {"host": host, "port": int(port)}, "pathMappings": [roots]}


def documented(editors_settings, project, port):
    """An editor's settings on the page, for this project's function and the port of this session."""
    text = json.dumps(editors_settings(project)).replace("text_processor", "sorter")
    return json.loads(text.replace(str(FIRST_PORT), port))


@pytest.mark.parametrize(
    ("workers", "settings"),
    [([], vs_code), (["-n3"], pycharm)],
    ids=["one process, VS Code", "three workers, PyCharm"],
)
def test_debugger_stops_in_a_function_and_no_deadline_passes_meanwhile(project, workers, settings):
    """The function's timeout is 3 s, the wait's 10 s; the debugger stays for longer than both.

    The settings that the page shows for an editor are those that are printed, and they work.
    """
    with debug(project, *workers, sla=10) as process:
        said = when_printed(process.stdout, WAITS)
        entry = documented(settings, project, said["port"])
        assert entry["connect"]["host"] == "127.0.0.1"
        assert entry["pathMappings"] == [mapping(said)]
        editor = Editor(entry["connect"]["port"], entry)
        assert said["name"] == "sorter"
        assert said["local"] == str(project.directory / "functions" / "sorter")
        assert editor.start(f"{said['local']}/weights.py", 6) == [True]
        frame = editor.stopped()
        assert frame["source"]["path"] == f"{said['local']}/weights.py"
        assert editor.value(frame, "parcel['kilograms']") in ("5", "40")
        time.sleep(12)
        editor.proceed()
        editor.stopped()  # the other parcel, in the same process
        editor.leave()
        printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    assert left_of_sessions(project) == []


def test_debugger_maps_a_file_that_the_archive_renames(project):
    with debug(project, component="loader") as process:
        editor, said = attached(process)
        assert said["local"] == str(project.directory / "functions" / "loader.py")
        assert editor.start(said["local"], 16) == [True]
        assert editor.value(editor.stopped(), "record['body']").count("40") == 1
        editor.proceed()
        editor.leave()
        printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed


def test_interrupt_while_a_function_stands_at_a_breakpoint_leaves_nothing(project):
    with debug(project) as process:
        editor, said = attached(process)
        editor.start(f"{said['local']}/app.py", 16)
        editor.stopped()
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=300)
        editor.close()
    assert process.returncode == 2, printed
    assert left_of_sessions(project) == []
    until = time.monotonic() + 300
    while not is_free(int(said["port"])) and time.monotonic() < until:
        time.sleep(0.1)
    assert is_free(int(said["port"]))


def test_breakpoint_without_the_option_ends_with_a_line_that_names_it(project):
    printed = project.run("-k=test_breakpoint", "--harness-reuse", fails=True)
    said = "RuntimeError: breakpoint() needs a debugger: run pytest with --harness-debug"
    assert f"loader failed after 1 attempt: {said}" in re.sub(r"\s+E?\s+", " ", printed)


def test_unknown_component_is_one_line(project):
    printed = project.run(ARRIVES, "--harness-reuse", "--harness-debug=nobody", fails=True)
    assert "debug is 'nobody': no such function; there are: event_listener, loader, sorter" in printed
    assert "Traceback" not in printed
