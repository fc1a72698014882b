"""The command line as a person meets it: help, version, completion, JSON, narrow terminals."""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from event_harness import cli
from event_harness.commands import completion, deployments, table
from event_harness.deployments.record import DeploymentRecord

COMMANDS = next(
    action.choices for action in cli.build()._actions if isinstance(action, argparse._SubParsersAction)
)
BIN = Path(sys.executable).parent


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("EVENT_HARNESS_STATE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def recorded(project):
    """A deployment on record, of this process."""
    return DeploymentRecord.create(project / ".event-harness", root=project, target="local")


def helped(name, monkeypatch, capsys, columns=80):
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as end:
        cli.main([name, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_has_an_example_that_parses(name, monkeypatch, capsys):
    text = helped(name, monkeypatch, capsys)
    examples = re.findall(
        rf"^  event-harness ({name}\b[^\n>]*)", text.partition("examples:\n")[2], re.MULTILINE
    )
    assert examples
    for example in examples:
        options, rest = cli.build().parse_known_args(example.split())
        assert options.command == name
        assert name == "terraform" or not rest


@pytest.mark.parametrize("name", COMMANDS)
def test_help_cuts_no_word_at_80_columns(name, monkeypatch, capsys):
    lines = helped(name, monkeypatch, capsys).splitlines()
    assert max(map(len, lines)) <= 80
    wide = " ".join(helped(name, monkeypatch, capsys, columns=300).split())
    assert {word for line in lines for word in line.split()} <= set(wide.split())


def test_help_documents_the_exit_codes(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    assert re.findall(r"^  (\d+) +", text.partition("exit codes:")[2], re.MULTILINE) == ["0", "1", "2", "130"]


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert re.fullmatch(r"event-harness \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [["nonsense"], ["list", "--nonsense"], [], ["up", "--port", "x"]])
def test_wrong_command_line_ends_with_code_2(arguments, capsys):
    try:
        code = cli.main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert capsys.readouterr().err


def test_list_is_json_where_it_is_asked_for(recorded, capsys):
    assert cli.main(["list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found == {
        "deployment_id": recorded.deployment_id,
        "target": "local",
        "stage": recorded.stage,
        "state": "in progress",
        "owner": recorded.owner,
        "expires_at": recorded.expires_at.isoformat(),
        "resources": None,
    }


def test_list_of_nothing_is_an_empty_list_in_json(capsys):
    assert cli.main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_sweep_says_in_json_what_is_left_and_its_progress_on_stderr(recorded, capsys, monkeypatch):
    other = recorded.deployment_id

    def sweep(_where, *, say, **_asked):
        say(f"{other}: in progress (process 7), left alone")
        say("d2: destroyed: all of it")
        say("nothing to sweep: no dead deployment is on record")
        return 1

    monkeypatch.setattr(deployments, "sweep_by_record", sweep)
    assert cli.main(["sweep", "--json", "--dry-run"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "done": False,
        "dry_run": True,
        "deployments": [
            {"deployment_id": other, "on_record": True, "messages": ["in progress (process 7), left alone"]},
            {"deployment_id": "d2", "on_record": False, "messages": ["destroyed: all of it"]},
        ],
        "messages": ["nothing to sweep: no dead deployment is on record"],
    }
    assert "d2: destroyed" in said.err


ROWS = [
    (
        "d1m8az809299wa",
        "http://127.0.0.1:45661",
        "applied",
        "left behind",
        "someone@a-long-name",
        "2026-11-26",
    )
]
HEADERS = ("deployment", "target", "stage", "state", "owner", "expires")


def test_table_that_fits_is_a_table():
    head, row = table.lines(HEADERS, ROWS, 120)
    assert re.fullmatch(r"deployment +target +stage +state +owner +expires", head)
    assert row.startswith("d1m8az809299wa  http://127.0.0.1:45661  applied")


@pytest.mark.parametrize("width", [80, 40])
def test_table_that_does_not_fit_keeps_each_cell_whole(width):
    lines = table.lines(HEADERS, ROWS, width)
    assert max(map(len, lines)) <= width
    for cell in ROWS[0]:
        assert any(cell in line for line in lines)


def test_output_that_is_no_terminal_has_one_line_for_each_row(recorded, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    assert cli.main(["list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def completed(line, directory, shell="bash"):
    """What a shell would be offered for a command line, by the protocol of its completion."""
    answer = directory / "answer"
    environ = os.environ | {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": shell,
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-m", "event_harness.cli"]
    subprocess.run(command, cwd=directory, env=environ, check=True, stdin=subprocess.DEVNULL)
    return [word.partition("\t")[0].strip() for word in answer.read_text().splitlines()]


def test_commands_options_and_ids_are_completed(project, recorded):
    assert completed("event-harness sw", project) == ["sweep"]
    assert completed("event-harness sweep --dr", project) == ["--dry-run"]
    assert completed("event-harness sweep d", project) == [recorded.deployment_id]
    assert completed("event-harness completion f", project, "fish") == ["fish"]


def test_no_records_complete_to_nothing():
    assert completion.deployment_ids(argparse.Namespace(project=None, state_dir=None)) == []


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_completion_is_a_script_that_the_shell_accepts(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "event-harness" in script
    if binary := shutil.which(shell):
        done = subprocess.run([binary, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_bash_completes_by_the_script(project):
    environ = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    script = (
        "source <(event-harness completion bash)\n"
        'COMP_LINE="event-harness sw" COMP_POINT=16 COMP_WORDS=(event-harness sw) COMP_CWORD=1 COMP_TYPE=9\n'
        "_python_argcomplete event-harness sw event-harness\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        [shutil.which("bash"), "-c", script], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["sweep"], done.stderr


@pytest.mark.parametrize("arguments", [["list"], ["--help"], ["graph", "--help"]])
def test_output_that_is_no_terminal_has_no_colours(arguments, capsys, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    with contextlib.suppress(SystemExit):
        cli.main(arguments)
    assert "\x1b" not in capsys.readouterr().out
