"""Every command, every fixture and the demonstration turn each error of the machine into one line."""

import errno
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.parsers import ResponseParserError

import demo.__main__ as demonstration
from event_harness import cli
from event_harness.errors import HarnessError, MachineError, SettingError
from event_harness.machine import dataclass_file
from event_harness.machine.boundary import VARIABLE, explain, explained

pytest_plugins = ["pytester"]


def _system_error(number, name=None):
    return OSError(number, os.strerror(number), *([name] if name else []))


def _bad_json():
    try:
        json.loads("{")
    except ValueError as error:
        return error


# Each error, and what its line must contain.
ERRORS = {
    "full disk": (_system_error(errno.ENOSPC, "/full/file"), "/full/file: the disk is full; free space"),
    "file size limit": (
        _system_error(errno.EFBIG, "/big"),
        "/big: the file would be too large; raise the limit",
    ),
    "read-only": (_system_error(errno.EROFS, "/ro/x"), "/ro/x: the file system is read-only; work in"),
    "permission": (_system_error(errno.EACCES, "/x"), "/x: permission denied; check the owner and the mode"),
    "missing": (_system_error(errno.ENOENT, "/x"), "/x: it doesn't exist; create it, or correct the path"),
    "link loop": (_system_error(errno.ELOOP, "/x"), "/x: its symbolic links form a loop; remove one"),
    "open files": (_system_error(errno.EMFILE), "too many files are open; raise the limit (ulimit -n)"),
    "processes": (_system_error(errno.EAGAIN), "out of processes; end other programs"),
    "other system error": (_system_error(errno.EPROTO, "/x"), "/x: OSError: Protocol error; if the input"),
    "value": (ValueError("embedded null byte"), "ValueError: embedded null byte; if the input is right"),
    "json": (_bad_json(), "JSONDecodeError: Expecting property name"),
    "bytes": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "can't decode byte 0xff"),
    "recursion": (RecursionError("maximum recursion depth exceeded"), "nested too deeply; flatten it"),
    "overflow": (OverflowError("date value out of range"), "OverflowError: date value out of range"),
    "memory": (MemoryError(), "out of memory; end other programs"),
    "no answer": (EndpointConnectionError(endpoint_url="http://x"), "Could not connect to the endpoint"),
    "web page": (ResponseParserError("mismatched tag\n<html>\n<p>"), "ResponseParserError: mismatched tag;"),
    "process": (psutil.AccessDenied(7), "AccessDenied"),
}
COMMANDS = [
    ["list"],
    ["sweep"],
    ["redrive"],
    ["up"],
    ["down"],
    ["fmt", "."],
    ["validate", "."],
    ["configure"],
    ["terraform", "plan"],
]


@pytest.fixture(params=ERRORS)
def failure(request):
    """An error, and the start of the line that it must become."""
    return ERRORS[request.param]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_every_command_says_it_in_one_line(arguments, failure, monkeypatch, capsys):
    error, said = failure

    def fail(*_arguments):
        raise error

    everything_fails = types.SimpleNamespace(
        **dict.fromkeys(["show", "sweep", "run", "up", "down", "fmt", "validate", "configure"], fail),
        terraform=fail,
    )
    monkeypatch.setattr(cli, "import_module", lambda _name: everything_fails)
    assert cli.main(arguments) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


def test_list_of_commands_is_complete():
    help_text = cli._parser().format_help()
    assert {
        line.split()[0] for line in help_text.splitlines() if line.startswith("    ") and line[4] != " "
    } == {arguments[0] for arguments in COMMANDS}


def test_demonstration_says_it_in_one_line(failure, monkeypatch, capsys):
    error, said = failure

    def fail(*_arguments, **_more):
        raise error

    monkeypatch.setattr(demonstration, "Session", fail)
    monkeypatch.setattr(sys, "argv", ["demo"])
    assert demonstration.main() == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


# The function that each fixture calls first, and the fixtures before it that are replaced.
FIRST_CALLS = {
    "deployment": ("event_harness.deployments.session.Session.system", ()),
    "harness_listener": ("event_harness.system.correlation.new_session_id", ("deployment",)),
    "producers": ("event_harness.producers.producers_for", ("deployment", "harness_listener")),
}
CONFTEST = """
import types
import pytest

@pytest.fixture(autouse=True, scope="session")
def failing():
    def fail(*_arguments, **_more):
        raise OSError(28, "No space left on device", "/full/file")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr({call!r}, fail)
        yield
"""
REPLACED = """
@pytest.fixture(scope="session")
def {fixture}():
    return types.SimpleNamespace(resources=None, target=types.SimpleNamespace(endpoint_url="http://x"))
"""


@pytest.mark.parametrize("fixture", FIRST_CALLS)
def test_every_fixture_says_it_in_one_line(fixture, pytester):
    call, before = FIRST_CALLS[fixture]
    replaced = "".join(REPLACED.format(fixture=one) for one in before)
    pytester.makeconftest(CONFTEST.format(call=call) + replaced)
    pytester.makepyfile(f"def test_it({fixture}): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    printed = result.stdout.str()
    assert "\n/full/file: the disk is full; free space on its disk, or write elsewhere\n" in printed
    assert "Traceback" not in printed
    assert "boundary.py" not in printed


def test_harness_error_passes_unchanged():
    with pytest.raises(SettingError, match=r"^sla is 'x'$"), explained():
        raise SettingError("sla is 'x'")


def test_interrupt_and_closed_pipe_pass():
    for error in (KeyboardInterrupt, BrokenPipeError):
        with pytest.raises(error), explained():
            raise error


def test_error_that_is_a_defect_keeps_its_traceback():
    with pytest.raises(TypeError), explained():
        raise TypeError("a defect")


def test_variable_shows_the_traceback(monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.raises(OSError, match="No space left"), explained():
        raise ERRORS["full disk"][0]


def test_file_that_pathlib_was_writing_is_named(tmp_path):
    """The error of a write has no file name."""
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from event_harness.machine.boundary import explain\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try:\n"
        "    Path(sys.argv[1]).write_text('x' * 100)\n"
        "except OSError as error:\n"
        "    print(explain(error))\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "log"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (
        printed
        == f"{tmp_path}/log: the file would be too large; raise the limit (ulimit -f), or write elsewhere\n"
    )


def test_place_in_the_harness_is_named_if_no_file_is_known(tmp_path):
    (tmp_path / "list.json").write_text("[]")
    with (
        pytest.raises(
            MachineError, match=r"if the input is right, .* \(in dataclass_file\.read, line \d+\)$"
        ),
        explained(),
    ):
        dataclass_file.read(tmp_path / "list.json", dict)


def test_line_has_no_control_characters():
    error = MachineError(explain(OSError(errno.ENOENT, "x", "/a\x1b[31m\nb")))
    assert isinstance(error, HarnessError)
    assert str(Path("/a")) in str(error)
    assert "\x1b" not in str(error)
