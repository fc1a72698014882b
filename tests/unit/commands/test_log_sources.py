"""Tracebacks in `logs`: paths of the project, no frames of the runtime."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from listener_fakes import MAP

from event_harness.commands.log_sources import LogSources
from event_harness.deployments.record import DeploymentRecord
from event_harness.explaining.log_lines import parsed
from event_harness.system.resources import ResourceMap

EMULATED = "/home/me/p/.event-harness/deployments/d1/aws/tmp/ministack-lambda-processor-x1y2"
RUNTIME = f'  File "{EMULATED}/_worker.py", line 192, in run'


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("src/app.py", "src/lib/app.py", "other/once.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sources_of(project, **arguments):
    """The sources of a system whose function `processor` was made with these arguments."""
    record = DeploymentRecord.create(
        project / ".event-harness", root=project, target="local", ttl=timedelta(1)
    )
    code = {"address": "a", "functions": {"f": "processor"}, "arguments": arguments}
    left_out = {"top": "", "root": "", "modules": [], "never": [], "exclude": [], "include": []}
    content = {"codes": [code] if arguments else [], "left_out": left_out, "synced_at": ""}
    (record.directory / "functions.json").write_text(json.dumps(content))
    return LogSources(project, ResourceMap.from_mapping(MAP, "test"), record)


def told(sources, *messages):
    """What is printed of the records of one invocation."""
    at = datetime(2026, 11, 26, tzinfo=UTC).timestamp() * 1000
    lines = parsed([{"timestamp": at, "message": message, "logStreamName": "s"} for message in messages])
    return [text for line in lines for text in sources.told("processor", line)]


@pytest.mark.parametrize(
    "before", [f"{EMULATED}/code/", "/var/task/", "/home/me/p/.event-harness/debug/5678/"]
)
@pytest.mark.parametrize(
    ("arguments", "place", "path"),
    [
        ({"source_dir": "src"}, "app.py", "src/app.py"),
        ({"source_dir": "src"}, "lib/app.py", "src/lib/app.py"),
        ({"source_file": "src/app.py"}, "app.py", "src/app.py"),
        ({"source": [{"filename": "main.py", "file": "src/app.py"}]}, "main.py", "src/app.py"),
        ({}, "once.py", "other/once.py"),
        ({}, "lib/app.py", "src/lib/app.py"),
        ({"source_file": "src/app.py"}, "once.py", "other/once.py"),
        ({"source": [{"filename": "main.py", "file": "src/app.py"}]}, "once.py", "other/once.py"),
    ],
    ids=[
        "directory",
        "below a directory",
        "file",
        "renamed file",
        "built by a command",
        "built, by its path",
        "another than the archive's file",
        "another than the archive's renamed file",
    ],
)
def test_frame_names_the_file_of_the_project(project, before, arguments, place, path):
    absolute = json.loads(json.dumps(arguments).replace('"src', f'"{project}/src'))
    frame = '  File "{}", line 20, in handler'
    assert told(sources_of(project, **absolute), frame.format(before + place)) == [frame.format(path)]


@pytest.mark.parametrize(
    "file", [f"{EMULATED}/code/app.py", "/usr/lib/python3/json/__init__.py", "/var/task/no.py"]
)
def test_path_stays_where_the_project_has_several_or_no_such_files(project, file):
    frame = f'  File "{file}", line 20, in handler'
    assert told(sources_of(project), frame) == [frame]


TRACEBACK = [
    "Traceback (most recent call last):",
    RUNTIME,
    "    result = handler_fn(event, context)",
    "             ^^^^^^^^^^",
    '  File "/var/task/app.py", line 2, in handler',
    '    order["lines"]',
    "    ~~~~~^^^^^^^^^",
    "KeyError: 'lines'",
]
SHOWN = [
    TRACEBACK[0],
    '  File "src/app.py", line 2, in handler',
    *TRACEBACK[5:],
]


def test_traceback_keeps_its_indent_and_loses_the_frames_of_the_runtime(project):
    sources = sources_of(project, source_dir=str(project / "src"))
    assert told(sources, *TRACEBACK) == SHOWN
    assert told(sources, "\n".join(TRACEBACK)) == SHOWN


def test_traceback_in_the_json_of_a_logger_is_shown_line_by_line(project):
    sources = sources_of(project, source_dir=str(project / "src"))
    logged = {
        "level": "ERROR",
        "message": "no lines",
        "exception": "\n".join(TRACEBACK),
        "exception_name": "KeyError",
    }
    assert told(sources, json.dumps(logged)) == ["ERROR no lines", *SHOWN]
    assert told(sources, json.dumps(logged | {"exception": None})) == ["ERROR no lines: KeyError"]
