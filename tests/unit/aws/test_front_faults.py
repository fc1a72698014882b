"""The front strikes what a rule says, only that, and tells whom it has struck."""

import asyncio
import json
import logging
import os
import threading
import types

import psutil
import pytest

from event_harness.aws.front import fault_injection, invocation_faults
from event_harness.aws.front.fault_injection import FaultInjection
from event_harness.aws.front.fault_rules import FUNCTION_FAULTS, SERVICE_FAULTS, Call, Rules
from event_harness.aws.front.invocation_faults import Invocations
from event_harness.aws.front_paths import FAULTS

ME = (os.getpid(), psutil.Process().create_time())
SESSION = "s1m8azc486z2dd"
MINE, OTHERS = f'{{"id": "{SESSION}/a"}}', '{"id": "s1m8azc486zzzz/b"}'


def rule(kind="throttle", **more):
    usual = {"owner": ME, "session": SESSION, "settings": {"code": "ThrottlingException", "status": 400}}
    if kind in SERVICE_FAULTS:
        usual["services"] = ("dynamodb",)
    return usual | {"kind": kind} | more


def rules(*asked):
    made = Rules()
    ids = [made.add(one) for one in asked]
    return made, ids


def call(**more):
    return Call(**{"service": "dynamodb", "operation": "PutItem", "function": "orders", "event": MINE} | more)


def struck(asked, one):
    return rules(asked)[0].striking(one, SERVICE_FAULTS) is not None


@pytest.mark.parametrize(
    ("asked", "one", "expected"),
    [
        ({}, {}, True),
        ({}, {"service": "sqs"}, False),
        ({"operation": "PutItem"}, {}, True),
        ({"operation": "GetItem"}, {}, False),
        ({"functions": ("orders",)}, {}, True),
        ({"functions": ("mailer",)}, {}, False),
        ({"spared": ("orders",)}, {}, False),
        ({"spared": ("event_listener",)}, {}, True),
        ({}, {"of_harness": True}, False),
        ({"harness": True}, {"of_harness": True}, True),
        ({"only_session": True}, {}, True),
        ({"only_session": True}, {"event": OTHERS}, False),
        ({"only_session": True}, {"event": None}, False),
        ({"only_session": True, "harness": True}, {"of_harness": True, "event": None}, True),
    ],
)
def test_a_rule_strikes_only_what_it_names(asked, one, expected):
    assert struck(rule(**asked), call(**one)) is expected


def test_calls_whose_input_can_not_be_told_are_counted():
    made, (id_,) = rules(rule(only_session=True))
    for event in (None, "{}", OTHERS, MINE):
        made.striking(call(event=event), SERVICE_FAULTS)
    told = made.told(id_)
    assert (len(told["strikes"]), told["unclear"]) == (1, 2)


def test_a_rate_strikes_the_same_calls_every_time():
    def drawn(seed):
        made, _ = rules(rule(rate=0.3, seed=seed))
        return [made.striking(call(), SERVICE_FAULTS) is not None for _ in range(200)]

    assert drawn("a") == drawn("a") != drawn("b")
    assert 30 < sum(drawn("a")) < 90


def test_a_rule_strikes_at_most_so_many_times():
    made, (id_,) = rules(rule(times=2))
    assert [made.striking(call(), SERVICE_FAULTS) is not None for _ in range(3)] == [True, True, False]
    assert made.told(id_)["strikes"][0] == {
        "what": "ThrottlingException",
        "on": "PutItem",
        "function": "orders",
        "input": f"{SESSION}/a",
    }


def test_a_rule_of_a_process_that_has_ended_strikes_nothing():
    made, _ = rules(rule(owner=(ME[0], ME[1] - 100)))
    assert made.striking(call(), SERVICE_FAULTS) is None
    assert not made


def test_a_removed_rule_strikes_nothing():
    made, (id_,) = rules(rule())
    assert made.told(id_, remove=True)["strikes"] == []
    assert made.told(id_, remove=True) == {"strikes": [], "unclear": 0}
    assert made.striking(call(), SERVICE_FAULTS) is None


def test_a_strike_stands_in_the_log(caplog):
    with caplog.at_level(logging.WARNING):
        struck(rule(), call())
    assert caplog.messages == [
        f"injected: ThrottlingException on PutItem (function orders, input {SESSION}/a)"
    ]


@pytest.mark.parametrize("asked", [{"kind": "flood"} | {"owner": ME, "session": ""}, {}, {"owner": "x"}])
def test_what_is_no_rule_is_refused(asked):
    with pytest.raises(ValueError, match=r"not a rule|no such fault: flood"):
        Rules().add(asked)


class Front:
    """The front with fakes behind it: what came through, and what was answered."""

    def __init__(self, *asked, running=None):
        self.rules, self.ids = rules(*asked)
        self.through, self.sent = [], []
        invocations = types.SimpleNamespace(by_trace=lambda _header: running)
        self.app = FaultInjection(self._behind, self.rules, invocations)

    async def _behind(self, _scope, receive, _send):
        self.through.append((await receive())["body"])

    def ask(self, method="POST", path="/", key="AKIAROOT", body=b"{}", query=b"", **headers):
        signed = f"AWS4-HMAC-SHA256 Credential={key}/20261126/eu-west-1/dynamodb/aws4_request, Signature=0"
        usual = {
            "authorization": signed,
            "x-amz-target": "DynamoDB_20120810.PutItem",
            "host": "127.0.0.1",
        } | headers
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(name.encode(), text.encode()) for name, text in usual.items()],
            "client": ("127.0.0.1", 1),
        }

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            self.sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        if not self.sent:
            return None
        start, content = self.sent
        self.sent = []
        return start["status"], content["body"]


@pytest.fixture(autouse=True)
def root(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAROOT")


RUNNING = Call(function="orders", event=MINE)


def test_a_struck_call_is_answered_in_the_protocol_of_its_service():
    front = Front(rule(), running=RUNNING)
    status, body = front.ask(key="ASIA1")
    assert (status, json.loads(body)["__type"]) == (400, "ThrottlingException")
    assert front.through == []


def test_calls_of_the_harness_come_through():
    front = Front(rule())
    assert front.ask(body=b'{"TableName": "t"}') is None
    assert front.through == [b'{"TableName": "t"}']


def test_a_late_call_comes_through_afterwards():
    front = Front(rule("latency", settings={"seconds": 0.001}), running=RUNNING)
    assert front.ask() is None
    assert front.through == [b"{}"]


def test_the_connection_of_a_reset_call_is_cut(monkeypatch):
    cut = []
    server = types.SimpleNamespace(
        writer=types.SimpleNamespace(transport=types.SimpleNamespace(abort=lambda: cut.append(1)))
    )
    monkeypatch.setattr(fault_injection, "_connections", {("127.0.0.1", 1): server})
    front = Front(rule("reset", settings={}), running=RUNNING)
    assert front.ask() is None
    assert (cut, front.through) == ([1], [])


def test_the_harness_orders_faults_and_hears_what_they_struck():
    front = Front()
    status, body = front.ask(path=FAULTS, body=json.dumps(rule()).encode())
    id_ = json.loads(body)["id"]
    assert status == 200
    front.rules.striking(call(), SERVICE_FAULTS)
    asked = {"path": FAULTS, "query": f"id={id_}".encode()}
    assert len(json.loads(front.ask("GET", **asked)[1])["strikes"]) == 1
    assert len(json.loads(front.ask("DELETE", **asked)[1])["strikes"]) == 1
    assert not front.rules


def test_nobody_else_orders_faults():
    front = Front()
    assert front.ask(path=FAULTS, key="ASIA1", body=json.dumps(rule()).encode())[0] == 403
    assert front.ask(path=FAULTS, body=b"no json")[0] == 400


class Function:
    """A function whose dispatch is struck; remembers the events that it has got."""

    def __init__(self, monkeypatch, *asked):
        self.events, self.logged = [], []
        monkeypatch.setattr(
            invocation_faults.lambda_svc, "_emit_lambda_logs", lambda *a, **_: self.logged.append(a[2])
        )
        self.rules, _ = rules(*asked)
        self.invocations = Invocations(self.rules)
        self.run = self.invocations.struck(self._dispatch)

    def _dispatch(self, _func, config, event, _request, _started):
        self.events.append(event)
        self.trace = self.invocations.traced(lambda _config, _inbound=None: None)(config)
        return {"body": "done"}

    def __call__(self, event):
        return self.run({}, {"FunctionName": "orders", "Timeout": 6}, event, "request", 0.0)


EVENT = {"id": f"{SESSION}/a"}


def test_a_function_raises_instead_of_running(monkeypatch):
    function = Function(
        monkeypatch, rule("raise", settings={"type": "IOError", "message": "SMTP down"}, times=1)
    )
    assert function(EVENT)["body"] == {"errorMessage": "SMTP down", "errorType": "IOError"}
    assert function.events == []
    assert "injected" in function.logged[0]
    assert function(EVENT) == {"body": "done"}


def test_a_function_may_raise_after_its_work(monkeypatch):
    function = Function(monkeypatch, rule("raise", settings={"type": "E", "message": "m", "after": True}))
    assert function(EVENT)["error"]
    assert function.events == [EVENT]


def test_a_function_that_raises_after_its_work_is_logged_as_one_invocation(monkeypatch):
    function = Function(monkeypatch, rule("raise", settings={"type": "E", "message": "m", "after": True}))
    emit = function.invocations.logged(invocation_faults.lambda_svc._emit_lambda_logs)

    def dispatch(func, _config, _event, request, _started):
        emit(func, request, "its line\n", False, 0)

    function.invocations.struck(dispatch)({}, {"FunctionName": "orders"}, EVENT, "request", 0.0)
    emit({}, "request", "the next one's line\n", False, 0)
    assert function.logged == ["its line\n[ERROR] E: m (injected by a test)", "the next one's line"]


def test_a_function_times_out_after_the_seconds_of_the_test(monkeypatch):
    function = Function(monkeypatch, rule("timeout", settings={"seconds": 0.01}))
    assert function(EVENT)["body"]["errorMessage"] == "Task timed out after 0.01 seconds"


def test_a_function_times_out_after_its_own_timeout_at_most(monkeypatch):
    slept = []
    monkeypatch.setattr(invocation_faults.time, "sleep", slept.append)
    for settings in ({}, {"seconds": 60}):
        function = Function(monkeypatch, rule("timeout", settings=settings))
        assert function(EVENT)["body"]["errorMessage"] == "Task timed out after 6.00 seconds"
    assert slept == [6, 6]


def test_a_function_runs_out_of_concurrency(monkeypatch):
    function = Function(monkeypatch, rule("concurrency", settings={}))
    assert function(EVENT)["throttle"]


def test_a_function_starts_late_and_then_runs(monkeypatch):
    function = Function(monkeypatch, rule("cold start", settings={"seconds": 0.001}))
    assert function(EVENT) == {"body": "done"}


def test_an_event_is_delivered_twice(monkeypatch):
    function = Function(monkeypatch, rule("duplicate", settings={}, times=1))
    assert function(EVENT) == {"body": "done"}
    assert function.events == [EVENT, EVENT]


def test_records_of_a_batch_are_reversed(monkeypatch):
    function = Function(monkeypatch, rule("reorder", settings={}))
    function({"Records": [1, 2]})
    assert function.events == [{"Records": [2, 1]}]


def test_a_single_event_is_overtaken_by_the_next(monkeypatch):
    function = Function(monkeypatch, rule("reorder", settings={}, times=1))
    monkeypatch.setattr(invocation_faults, "_REORDERED_WITHIN", 60)
    first = threading.Thread(target=function, args=("first",))
    first.start()
    while not function.rules.told(next(iter(function.rules._rules)))["strikes"]:
        pass
    function("second")
    first.join()
    assert function.events == ["second", "first"]


def test_other_functions_are_not_struck(monkeypatch):
    function = Function(
        monkeypatch, rule("raise", settings={"type": "E", "message": "m"}, functions=("mailer",))
    )
    assert function(EVENT) == {"body": "done"}


def test_a_call_is_traced_to_its_invocation_only_while_there_are_faults(monkeypatch):
    function = Function(monkeypatch, rule("latency", settings={"seconds": 1}))
    seen = []
    dispatch = function._dispatch

    def looked(*arguments):
        dispatch(*arguments)
        seen.append(function.invocations.by_trace(function.trace))
        return {}

    function.run = function.invocations.struck(looked)
    function(EVENT)
    assert (seen[0].function, json.loads(seen[0].event)) == ("orders", EVENT)
    assert function.invocations.by_trace(function.trace) is None
    quiet = Function(monkeypatch)
    quiet(EVENT)
    assert quiet.trace is None


def test_kinds_of_faults_are_of_functions_or_of_services():
    assert not set(FUNCTION_FAULTS) & set(SERVICE_FAULTS)
