"""Every command, every fixture and the demonstration turn each error of the machine into one line."""

import dataclasses
import errno
import functools
import inspect
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
from event_harness import cli, fixtures, plugin, plugin_process
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.commands import parser
from event_harness.deployments.deployment import Deployment
from event_harness.errors import HarnessError, MachineError, SettingError
from event_harness.machine import dataclass_file
from event_harness.machine.boundary import VARIABLE, explain, explained
from event_harness.producers import SqsProducer
from event_harness.results.result import Result
from event_harness.settings import BY_NAME, Settings, parse
from event_harness.system.resources import Component, ResourceMap


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
    ["graph"],
    ["watch"],
    ["logs"],
    ["status"],
    ["sync"],
    ["up"],
    ["down"],
    ["fmt", "."],
    ["validate", "."],
    ["configure"],
    ["terraform", "plan"],
    ["init"],
    ["doctor"],
    ["completion", "bash"],
]


# The parser is the same for all of them.
BUILT_ONCE = functools.cache(cli.build)


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
        **dict.fromkeys(
            [
                "show",
                "sweep",
                "run",
                "script",
                "status",
                "sync",
                "up",
                "down",
                "fmt",
                "validate",
                "configure",
            ],
            fail,
        ),
        terraform=fail,
        forget_what_a_gone_emulator_left=lambda _options: None,
    )
    monkeypatch.setattr(cli, "build", BUILT_ONCE)
    monkeypatch.setattr(parser, "import_module", lambda _name: everything_fails)
    assert cli.main(arguments) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


def test_list_of_commands_is_complete():
    help_text = cli.build().format_help()
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


def raising(error):
    def fail(*_arguments, **_more):
        raise error.with_traceback(None)

    return fail


# Each fixture with its arguments, and the function that it calls first. Those of the user read nothing.
LISTENER = types.SimpleNamespace(with_sla=None)
MARKED = types.SimpleNamespace(get_closest_marker=lambda _name: types.SimpleNamespace(args=[5], kwargs={}))
FIXTURES = {
    "deployment": ("event_harness.deployments.session.Session.system", {}),
    "harness_listener": (
        "event_harness.system.correlation.new_session_id",
        {
            "deployment": types.SimpleNamespace(
                resources=None, target=types.SimpleNamespace(endpoint_url="http://x")
            ),
            "harness_readiness_probe": None,
            "harness_producer_settings": {},
            "harness_entry": None,
        },
    ),
    "listener": ("event_harness.fixtures.parse", {"harness_listener": LISTENER}),
    "producers": (
        "event_harness.producers.producers_for",
        {"harness_listener": LISTENER, "harness_producer_settings": {}},
    ),
    "producer": (
        "event_harness.producers.producer_at",
        {"harness_listener": types.SimpleNamespace(resources=None), "harness_entry": None},
    ),
}
FIXTURES["faults"] = (
    "event_harness.faults.control.FrontControl",
    {
        "deployment": types.SimpleNamespace(target=None, resources=None),
        "harness_listener": types.SimpleNamespace(session_id="s1"),
    },
)
OF_THE_USER = {"harness_entry", "harness_readiness_probe", "harness_producer_settings"}


def test_list_of_fixtures_is_complete():
    names = {
        name for name, value in vars(fixtures).items() if type(value).__name__ == "FixtureFunctionDefinition"
    }
    assert names == set(FIXTURES) | OF_THE_USER


@pytest.fixture
def config(tmp_path):
    """What the fixtures and hooks see of pytest."""
    settings = Settings({}, {})
    stash = pytest.Stash()
    stash[plugin_process.SETTINGS_KEY] = settings
    stash[plugin_process.STDERR_KEY] = types.SimpleNamespace(write=None)
    stash[plugin_process.ENDING_KEY] = types.SimpleNamespace(is_ours=True, add=lambda _one: None)
    return types.SimpleNamespace(
        stash=stash,
        rootpath=tmp_path,
        getoption=lambda _name: None,
        getini=lambda _name: None,
        addinivalue_line=lambda *_: None,
        pluginmanager=types.SimpleNamespace(register=lambda _plugin: None),
    )


def set_up(function, known):
    """Call a fixture as pytest does; one that yields runs until then."""
    given = function(*(known[name] for name in inspect.signature(function).parameters))
    return next(given) if inspect.isgenerator(given) else given


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_fixture_says_it_in_one_line(fixture, failure, config, monkeypatch):
    error, said = failure
    call, arguments = FIXTURES[fixture]
    monkeypatch.setattr(call, raising(error))
    function = getattr(fixtures, fixture)._get_wrapped_function()
    known = {"request": types.SimpleNamespace(config=config, node=MARKED), **arguments}
    if fixture == "producer":
        known["producers"] = {}
    with pytest.raises(pytest.fail.Exception) as raised:
        set_up(function, known)
    assert raised.value.pytrace is False
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("hook", ["pytest_configure", "pytest_configure_node"])
def test_hook_that_reads_settings_says_it_in_one_line(hook, failure, config, monkeypatch):
    error, said = failure
    monkeypatch.setattr(plugin, "Settings", raising(error))
    monkeypatch.setattr("event_harness.deployments.sharing.lending_folder", raising(error))
    argument = config if hook == "pytest_configure" else types.SimpleNamespace(config=config)
    with pytest.raises(pytest.UsageError) as raised:
        getattr(plugin, hook)(argument)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_header_says_it_in_one_line(failure, config, monkeypatch):
    error, said = failure
    (config.rootpath / "main.tf").touch()
    monkeypatch.setattr("event_harness.terraform.provider_source.announced", raising(error))
    _, line = plugin.pytest_report_header(config)
    assert said in line
    assert "\n" not in line


# Each public method that reads what a user gives, and the function in it that fails.
TARGET = Target.local("http://127.0.0.1:9")
SSM = types.SimpleNamespace(get_parameter=lambda **_: {"Parameter": {"Value": "{}"}})
QUEUE = Component(name="a", type="sqs", queue_url="http://127.0.0.1:9/000000000000/a")
LISTENING = types.SimpleNamespace(
    resources=types.SimpleNamespace(components=[QUEUE]), target=TARGET, session_id="s1", inflight=None
)
BODIES = types.SimpleNamespace(fetch=lambda _result: b"{}")
HERE = Path(__file__).parent


def producer():
    return SqsProducer(QUEUE, TARGET, "s1m86p1qsytdxp")


def deployment(stage="destroyed"):
    (Path.cwd() / "main.tf").touch()
    record = types.SimpleNamespace(
        stage=stage,
        at=lambda _stage: None,
        configuration="",
        own_emulator=False,
        is_ours=lambda: True,
        deployment_id="d1",
        directory=Path.cwd() / "a" / "b" / "c",
        spares={},
    )
    return Deployment(Path.cwd(), TARGET, None, record)


def result():
    fields = dict.fromkeys(field.name for field in dataclasses.fields(Result) if field.init)
    return Result(**fields | {"bodies": BODIES, "_cache": []})


METHODS = {
    "ResourceMap.from_mapping": ("system.resources.MapChecker", lambda: ResourceMap.from_mapping({}, "x")),
    "ResourceMap.from_file": ("system.resources._decoded", lambda: ResourceMap.from_file(__file__)),
    "ResourceMap.from_ssm": (
        "system.resources._decoded",
        lambda: ResourceMap.from_ssm("/map", types.SimpleNamespace(client=lambda _service: SSM)),
    ),
    "Target.emulator": ("aws.targets._is_loopback", lambda: Target.emulator("http://127.0.0.1:9")),
    "Target.aws": ("aws.targets.boto3.session.Session", lambda: Target.aws(environ={})),
    "Target.check": ("aws.targets.Target.client", TARGET.check),
    "LocalEmulator.start": ("aws.supervisor.processes_of", lambda: LocalEmulator.start(HERE)),
    "Deployment": ("deployments.deployment.Configuration.read", deployment),
    "Deployment.apply": ("deployments.deployment.view.make", lambda: deployment().apply()),
    "Deployment.destroy": ("deployments.destroy.Destroyer._destroy", lambda: deployment("applied").destroy()),
    "Producer.on": ("producers.base.check_session_id", lambda: SqsProducer.on(LISTENING)),
    "Producer.send": ("producers.messages.SqsProducer._new_id", lambda: producer().send("x")),
    "Result.body": ((BODIES, "fetch"), lambda: result().body),
    "Result.json": ("results.result.json.loads", lambda: result().json()),
}


@pytest.mark.parametrize("method", METHODS)
def test_every_public_method_that_reads_a_users_input_says_it_in_one_line(
    method, failure, monkeypatch, tmp_path
):
    error, said = failure
    fails, call = METHODS[method]
    monkeypatch.chdir(tmp_path)
    place = fails if isinstance(fails, tuple) else (f"event_harness.{fails}",)
    monkeypatch.setattr(*place, raising(error))
    with pytest.raises(HarnessError) as raised:
        call()
    # Where a method knows the cause better, it has words of its own.
    assert said in str(raised.value) or not isinstance(raised.value, MachineError)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", [OSError, ValueError, OverflowError, RecursionError])
def test_setting_that_cannot_be_parsed_names_itself_and_its_origin(kind):
    setting = dataclasses.replace(BY_NAME["sla"], parse=raising(kind("a number")))
    with pytest.raises(SettingError, match=r"^sla is '5' \(--harness-sla\); valid: a number$"):
        parse(setting, "5", "--harness-sla")


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("pathlib", "self, text"),
        ("pathlib._local", "self, text"),  # Python 3.13
        ("shutil", "dst, src"),
    ],
)
def test_error_without_a_path_names_the_one_that_the_library_worked_on(module, arguments):
    library = {"__name__": module}
    exec(f"def write({arguments}):\n    raise OSError(28, 'No space left on device')", library)  # noqa: S102
    with pytest.raises(MachineError, match=r"^/disk/full: "), explained():
        library["write"](Path("/disk/full"), "source")


@pytest.mark.parametrize("error", [ValueError(), ValueError(" \n"), OSError()])
def test_error_without_a_text_is_told_by_its_kind(error):
    with pytest.raises(MachineError, match=rf"^{type(error).__name__}; if the input is right"), explained():
        raise error


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
            MachineError, match=r"if the input is right, .* \(in dataclass_file\.decoded, line \d+\)$"
        ),
        explained(),
    ):
        dataclass_file.read(tmp_path / "list.json", dict)


def test_line_has_no_control_characters():
    error = MachineError(explain(OSError(errno.ENOENT, "x", "/a\x1b[31m\nb")))
    assert isinstance(error, HarnessError)
    assert str(Path("/a")) in str(error)
    assert "\x1b" not in str(error)
