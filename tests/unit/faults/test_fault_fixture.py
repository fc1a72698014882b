"""The fixture `faults` asks for what a test says, and takes it back whatever happens."""

import pytest
from listener_fakes import MAP

from event_harness.aws.targets import Target
from event_harness.errors import SettingError
from event_harness.faults.control import FrontControl
from event_harness.faults.faults import Faults
from event_harness.system.resources import ResourceMap

COMPONENTS = [
    {"name": "mailer", "type": "lambda", "function": "app-mailer"},
    {"name": "orders", "type": "sqs", "queue_url": "https://q/0/orders"},
]


class FakeControl:
    """Holds the rules in force; every rule has struck twice, and could not tell once."""

    def __init__(self):
        self.rules = {}

    def add(self, rule):
        self.rules[str(len(self.rules))] = rule
        return str(len(self.rules) - 1)

    def told(self, _id):
        strike = {"what": "ThrottlingException", "on": "PutItem", "function": "app-mailer", "input": ""}
        return {"strikes": [strike] * 2, "unclear": 1}

    def remove(self, id_):
        del self.rules[id_]
        return self.told(id_)


@pytest.fixture
def control():
    return FakeControl()


@pytest.fixture
def said():
    return []


@pytest.fixture
def resources():
    return ResourceMap.from_mapping(MAP | {"components": COMPONENTS}, "the resource map")


@pytest.fixture
def faults(control, said, resources):
    return Faults(control, resources, "s1", shared=True, seed="test_a", say=said.append)


def in_force(control):
    (rule,) = control.rules.values()
    return {name: value for name, value in rule.items() if name not in ("owner", "session", "seed")}


USUAL = {"only_session": True, "rate": 1.0, "times": None}
SPARED = {"functions": [], "spared": [MAP["listener"]["function"]], "harness": False}
MAILER = {"functions": ["app-mailer"]}


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (
            lambda faults: faults.latency("dynamodb", seconds=2, operation="put_item"),
            {
                "kind": "latency",
                "services": ("dynamodb",),
                "operation": "PutItem",
                "settings": {"seconds": 2.0},
            }
            | SPARED,
        ),
        (
            lambda faults: faults.throttle("dynamodb", rate=0.3),
            {
                "kind": "throttle",
                "services": ("dynamodb",),
                "operation": "",
                "rate": 0.3,
                "settings": {"code": "ThrottlingException", "status": 400},
            }
            | SPARED,
        ),
        (
            lambda faults: faults.error("stepfunctions", function="mailer", times=1),
            {
                "kind": "error",
                "services": ("states",),
                "operation": "",
                "times": 1,
                "settings": {"code": "ServiceUnavailable", "status": 503},
                "functions": ["app-mailer"],
                "spared": [],
                "harness": False,
            },
        ),
        (
            lambda faults: faults.reset("sqs", harness=True),
            {"kind": "reset", "services": ("sqs",), "operation": "", "settings": {}}
            | SPARED
            | {"harness": True},
        ),
        (
            lambda faults: faults.denied("s3", operation="HeadObject"),
            {
                "kind": "denied",
                "services": ("s3",),
                "operation": "GetObject",
                "settings": {"code": "AccessDenied", "status": 403},
            }
            | SPARED,
        ),
        (
            lambda faults: faults.error("mailer", message="SMTP down", times=3),
            {
                "kind": "raise",
                "times": 3,
                "settings": {"type": "RuntimeError", "message": "SMTP down", "after": False},
            }
            | MAILER,
        ),
        (lambda faults: faults.timeout("mailer"), {"kind": "timeout", "settings": {}} | MAILER),
        (
            lambda faults: faults.concurrency("mailer", times=2),
            {"kind": "concurrency", "times": 2, "settings": {}} | MAILER,
        ),
        (
            lambda faults: faults.cold_start("mailer", seconds=1),
            {"kind": "cold start", "settings": {"seconds": 1.0}} | MAILER,
        ),
        (lambda faults: faults.duplicate("mailer"), {"kind": "duplicate", "settings": {}} | MAILER),
        (
            lambda faults: faults.reorder("mailer", rate=0.5),
            {"kind": "reorder", "rate": 0.5, "settings": {}} | MAILER,
        ),
    ],
)
def test_a_fault_is_in_force_within_its_with(faults, control, ask, expected):
    fault = ask(faults)
    assert control.rules == {}
    with fault:
        assert in_force(control) == USUAL | expected
    assert control.rules == {}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_stays_after_a_with_that_is_left_by_an_error(faults, control, error):
    def interrupted():
        with faults.reset("sqs"), faults.timeout("mailer"):
            assert len(control.rules) == 2
            raise error

    with pytest.raises(error):
        interrupted()
    assert control.rules == {}


def test_nothing_stays_after_the_test_if_a_with_was_never_left(faults, control):
    faults.reset("sqs").__enter__()
    faults.close()
    assert control.rules == {}


def test_it_says_what_was_struck_and_what_could_not_be_told(faults, said):
    with faults.throttle("dynamodb") as fault:
        assert len(fault.strikes) == 2
    assert str(fault) == "injected: 2 x ThrottlingException on PutItem"
    assert said == ["faults: a call can't be told to be of this test's inputs, so nothing was struck there"]


def test_seeds_differ_between_faults_and_are_the_same_each_time(faults, control):
    with faults.reset("sqs"), faults.reset("sns"):
        seeds = [rule["seed"] for rule in control.rules.values()]
    assert seeds == ["test_a 1", "test_a 2"]


@pytest.mark.parametrize("name", ["mailer", "app-mailer"])
def test_a_function_has_the_name_of_its_component_or_its_own(faults, control, name):
    for fault in (faults.error(name), faults.timeout(name), faults.reset("sqs", function=name)):
        with fault:
            assert in_force(control)["functions"] == ["app-mailer"]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (
            lambda faults: faults.latency("dynamo", seconds=1),
            "no service 'dynamo'; there are: cloudwatch, dynamodb",
        ),
        (
            lambda faults: faults.error("mailr"),
            "'mailr' is neither a function of the system (mailer) nor a service",
        ),
        (lambda faults: faults.timeout("orders"), "'orders' is no function of the system; there are: mailer"),
        (lambda faults: faults.reset("sqs", rate=2), "rate is 2; valid: above 0, at most 1"),
        (lambda faults: faults.reset("sqs", times=0), "times is 0; valid: a whole number above 0"),
        (lambda faults: faults.latency("sqs", seconds=0), "seconds is 0; valid: a number above 0"),
        (lambda faults: faults.latency("sqs", seconds=True), "seconds is True; valid: a number above 0"),
        (lambda faults: faults.latency("sqs", seconds="2"), "seconds is '2'; valid: a number above 0"),
        (lambda faults: faults.timeout("mailer", seconds=-1), "seconds is -1; valid: a number above 0"),
        (lambda faults: faults.reset("sqs", rate="0.3"), "rate is '0.3'; valid: above 0, at most 1"),
        (
            lambda faults: faults.reset("sqs", operation="SendMesage"),
            "sqs has no operation 'SendMesage'; did you mean 'SendMessage'?",
        ),
        (lambda faults: faults.denied("states", operation="drop"), "states has no operation 'drop'"),
        (lambda faults: faults.duplicate("mailer", seconds=1), "'seconds' is no argument of duplicate"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_valid(faults, ask, told):
    with pytest.raises(SettingError) as error:
        ask(faults)
    assert told in str(error.value)


def test_a_real_account_and_a_foreign_emulator_are_refused():
    with pytest.raises(SettingError, match="on the local AWS emulator only"):
        FrontControl(Target("aws", "eu-west-1"))
    with pytest.raises(SettingError, match="only on an emulator that the harness has started"):
        FrontControl(Target.local("http://127.0.0.1:9"))
