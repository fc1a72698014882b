"""The findings about APIs and state machines."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from explained import Anything, question
from listener_fakes import World, client_error

from event_harness.explaining.probes.components import ask
from event_harness.results.response import Response
from event_harness.results.sent import Sent
from event_harness.system.resources import Component

API = Component(
    "api", "http", url="https://abc.execute-api.eu-west-1.amazonaws.com/prod", log_group="/access"
)
MACHINE = Component("checkout", "stepfunctions", state_machine_arn="arn:aws:states:r:1:stateMachine:checkout")
EXECUTION = "arn:aws:states:r:1:execution:checkout:run_1"
BEGAN = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SENT = Sent("run/1", "api", BEGAN.timestamp(), "POST https://abc", 1)


def asked(component, sent, **services):
    world = World()
    world.target.clients |= {name: Anything(**answers) for name, answers in services.items()}
    return ask(question(world, replace(sent, component=component.name)), component).finding


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        (Response(202, b"{}"), "ok", "answered 202"),
        (
            Response(500, b'{"message": "Internal Server Error"}'),
            "failed",
            "answered 500: Internal Server Error",
        ),
        (Response(403, b'{"Message": "Forbidden"}'), "failed", "answered 403: Forbidden"),
        (Response(422, b'{"message": "no lines", "order": 7}'), "failed", "answered 422"),
        (Response(400, b"[1]"), "failed", "answered 400"),
        (Response(502, b"\xff"), "failed", "answered 502"),
    ],
)
def test_an_api_tells_what_it_answered_to_this_request(answer, state, text):
    found = asked(replace(API, log_group=None), replace(SENT, response=answer))
    assert (found.state, found.text) == (state, text)
    assert found.cause == (f"api {text}" if state == "failed" else None)


def test_the_access_log_of_an_api_tells_of_this_request():
    def filtered(**arguments):
        assert arguments["filterPattern"] == '"request-7"'
        return {"events": [{"message": "request-7 POST /orders 500 integration timeout\n"}]}

    sent = replace(SENT, response=Response(500, b""), service_id="request-7")
    found = asked(API, sent, logs={"filter_log_events": filtered})
    assert found.details == ("request-7 POST /orders 500 integration timeout",)
    denied = {"filter_log_events": client_error("AccessDeniedException")}
    assert asked(API, sent, logs=denied).details == ("its access log is not known (AccessDeniedException)",)


@pytest.mark.parametrize("kind", ["http api", "rest api"])
def test_an_api_that_the_harness_has_not_asked_is_there(kind):
    missing = client_error("NotFoundException")
    services = {
        "apigatewayv2": {"get_api": {} if kind == "http api" else missing},
        "apigateway": {"get_rest_api": {}},
    }
    found = asked(API, SENT, **services)
    assert (found.state, found.text) == (
        "unknown",
        "there; an API doesn't tell what has passed, and its integration is not looked into",
    )


def test_an_api_that_is_gone_is_said_to_be_gone():
    missing = client_error("NotFoundException")
    services = {"apigatewayv2": {"get_api": missing}, "apigateway": {"get_rest_api": missing}}
    found = asked(API, SENT, **services)
    assert (found.state, found.text) == ("failed", f"{API.url} isn't there")


def execution(status, *, name="run_1", input_='{"id": "run/1"}', **more):
    return {
        "executionArn": f"arn:aws:states:r:1:execution:checkout:{name}",
        "name": name,
        "status": status,
        "startDate": BEGAN,
        "input": input_,
    } | more


def history(*events):
    numbered = [{"id": n, "previousEventId": n - 1} | event for n, event in enumerate(events, 1)]
    return {"events": numbered[::-1]}


def entered(name, **more):
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name}} | more


def machine(found, *events):
    return {"describe_execution": found, "get_execution_history": history(*events)}


ENDED = {"stopDate": BEGAN + timedelta(seconds=3)}


@pytest.mark.parametrize(
    ("status", "more", "state", "text"),
    [
        ("SUCCEEDED", ENDED, "ok", "its execution succeeded after 3.0 s"),
        ("RUNNING", {}, "running", "still running in state Charge, since 10:00:00"),
        (
            "FAILED",
            ENDED | {"error": "Declined", "cause": "no money"},
            "failed",
            "its execution failed in state Charge: Declined: no money",
        ),
        (
            "FAILED",
            ENDED
            | {"error": "Exception", "cause": '{"errorType": "ValueError", "errorMessage": "no\\nlines"}'},
            "failed",
            "its execution failed in state Charge: ValueError: no lines",
        ),
        ("FAILED", ENDED, "failed", "its execution failed in state Charge"),
        ("TIMED_OUT", ENDED, "failed", "its execution timed out after 3.0 s in state Charge"),
        ("ABORTED", ENDED, "failed", "its execution was stopped in state Charge"),
    ],
)
def test_an_execution_tells_its_state_and_its_error(status, more, state, text):
    sent = replace(SENT, service_id=EXECUTION)
    services = machine(execution(status, **more), {"type": "ExecutionStarted"}, entered("Charge"))
    found = asked(MACHINE, sent, stepfunctions=services)
    assert (found.state, found.text, found.here) == (state, text, True)
    assert (found.cause or "").endswith("" if state == "ok" else text)


def test_the_failed_state_is_not_one_of_a_branch_beside_it():
    sent = replace(SENT, service_id=EXECUTION)
    failed = {"type": "ExecutionFailed", "previousEventId": 2}
    services = machine(
        execution("FAILED", **ENDED), {}, entered("Charge"), entered("Pack", previousEventId=1), failed
    )
    assert "in state Charge" in asked(MACHINE, sent, stepfunctions=services).text


@pytest.mark.parametrize(
    ("listed", "state"),
    [
        (execution("SUCCEEDED", name="run_1", input_="{}", **ENDED), "ok"),
        (execution("SUCCEEDED", name="x", **ENDED), "ok"),
        (execution("SUCCEEDED", name="x", input_='{"id": "run/12"}', **ENDED), "not reached"),
        (execution("SUCCEEDED", startDate=BEGAN - timedelta(minutes=1), **ENDED), "not reached"),
    ],
)
def test_an_execution_that_the_system_starts_is_found_by_its_name_or_its_input(listed, state):
    services = machine(listed) | {"list_executions": {"executions": [listed]}}
    assert asked(MACHINE, SENT, stepfunctions=services).state == state


def test_an_express_workflow_tells_what_the_producer_has_seen():
    failed = Response(200, b"", error="FAILED: Declined")
    found = asked(MACHINE, replace(SENT, response=failed))
    assert (found.state, found.text) == ("failed", "its execution failed: FAILED: Declined")
    assert asked(MACHINE, replace(SENT, response=Response(200, b"{}"))).state == "ok"


def test_an_express_workflow_that_the_system_starts_is_not_known():
    found = asked(MACHINE, SENT, stepfunctions=EXPRESS)
    assert (found.state, found.text) == (
        "unknown",
        "not known: an express workflow keeps no list of its executions, and no log group is known",
    )


EXPRESS = {"list_executions": client_error("StateMachineTypeNotSupported")}
OWN, OTHER = "arn:aws:states:r:1:express:checkout:run_1:a", "arn:aws:states:r:1:express:checkout:run_12:b"


def logged(type_, arn=OWN, **details):
    return json.dumps({"type": type_, "execution_arn": arn, "details": details})


@pytest.mark.parametrize(
    ("lines", "state", "text"),
    [
        (
            [
                logged("ExecutionStarted", input='{"correlation_id": "run/1"}'),
                logged("TaskStateEntered", name="Charge"),
                logged("ExecutionFailed", error="Declined", cause="no\nmoney"),
            ],
            "failed",
            "its execution failed in state Charge: Declined: no money",
        ),
        (
            [logged("ExecutionStarted"), logged("ExecutionSucceeded", output="{}")],  # the id is in the name
            "ok",
            "its execution succeeded, as its log group tells",
        ),
        (
            [logged("ExecutionStarted"), logged("PassStateEntered", name="Wait")],
            "unknown",
            "its execution began in state Wait; its log group tells no end of it",
        ),
        (
            [logged("ExecutionFailed", OTHER, error="Declined"), "START", "[1]"],
            "unknown",
            "not known: an express workflow keeps no list of its executions, and no line of its log group"
            " names this input",
        ),
    ],
    ids=["failed", "succeeded", "running", "another"],
)
def test_the_log_group_of_an_express_workflow_tells_of_the_execution(lines, state, text):
    def filtered(logGroupName, startTime, filterPattern):  # noqa: N803 - as boto3 has it
        wanted = json.loads(filterPattern)
        return {"events": [{"message": line} for line in lines if wanted in line]}

    machine_ = replace(MACHINE, log_group="/states")
    found = asked(machine_, SENT, stepfunctions=EXPRESS, logs={"filter_log_events": filtered})
    assert (found.state, found.text) == (state, text)
    assert found.cause == (f"checkout: {text}" if state == "failed" else None)


def test_a_log_group_of_an_express_workflow_that_may_not_be_read_is_said():
    denied = {"filter_log_events": client_error("AccessDeniedException")}
    found = asked(replace(MACHINE, log_group="/states"), SENT, stepfunctions=EXPRESS, logs=denied)
    assert found.text.endswith("and its log group could not be read (AccessDeniedException)")


def test_a_state_machine_that_is_gone_is_said_to_be_gone():
    services = {"list_executions": client_error("StateMachineDoesNotExist")}
    assert asked(MACHINE, SENT, stepfunctions=services).text == f"{MACHINE.state_machine_arn} isn't there"


def test_a_function_that_was_invoked_directly_is_found_by_its_request():
    world = World()
    world.logs.invoked("/entry", "request-9", "hello", at=1001.0)
    entry = Component("entry", "lambda", function="entry", log_group="/entry")
    sent = Sent("run/1", "entry", 1000.0, "function entry", 1, service_id="request-9")
    found = ask(question(world, sent), entry).finding
    assert (found.state, found.here) == ("ok", True)
