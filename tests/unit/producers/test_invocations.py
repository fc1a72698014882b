"""Direct invocations of functions, and executions of state machines."""

import io
import json

import pytest

from event_harness.errors import ProducerError, SettingError
from event_harness.producers import LambdaProducer, StepFunctionsProducer


def invoked(status=200, payload=b'"done"', **more):
    return {
        "StatusCode": status,
        "Payload": io.BytesIO(payload),
        "ResponseMetadata": {"RequestId": "request-9"},
    } | more


def test_an_event_is_queued_with_the_id_in_its_payload(make, service):
    service.answers["invoke"] = invoked(202, b"")
    sent = make(LambdaProducer, qualifier="live").send({"a": 1})
    assert service.last["InvocationType"] == "Event"
    assert (service.last["FunctionName"], service.last["Qualifier"]) == ("entry", "live")
    assert json.loads(service.last["Payload"]) == {"a": 1, "correlation_id": sent.correlation_id}
    assert (sent.response.status, sent.service_id) == (202, "request-9")
    assert sent.description == "function entry:live"


def test_what_an_awaited_function_returns_is_on_the_input(make, service):
    service.answers["invoke"] = invoked()
    sent = make(LambdaProducer, invocation="RequestResponse").send({})
    assert service.last["InvocationType"] == "RequestResponse"
    assert "Qualifier" not in service.last
    assert (sent.response.json(), sent.response.error) == ("done", None)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b'{"errorType": "ValueError", "errorMessage": "no\\nlines"}', "ValueError: no lines"),
        (b'{"errorMessage": "Task timed out after 3.00 seconds"}', "Task timed out after 3.00 seconds"),
        (b"[]", "Unhandled"),
        (b"\xff", "Unhandled"),
    ],
)
def test_a_function_that_failed_is_an_error_unless_the_test_asks_for_its_answer(make, service, payload, said):
    producer = make(LambdaProducer, invocation="RequestResponse")
    service.answers["invoke"] = invoked(payload=payload, FunctionError="Unhandled")
    with pytest.raises(ProducerError, match=f"^function entry failed: {said}; with check=False"):
        producer.send({})
    service.answers["invoke"] = invoked(payload=payload, FunctionError="Unhandled")
    sent = producer.send({}, check=False)
    assert (sent.response.error, sent.response.body) == (said, payload)


def test_a_payload_is_sent_as_it_is_if_the_test_asks_for_it(make, service):
    service.answers["invoke"] = invoked()
    make(LambdaProducer).send([1, 2], raw=True)
    assert service.last["Payload"] == b"[1, 2]"


def test_an_awaited_function_takes_six_megabytes(make, service):
    service.answers["invoke"] = invoked()
    make(LambdaProducer, invocation="RequestResponse").send({"a": "x" * 5_000_000})
    assert len(service.last["Payload"]) > 5_000_000


def test_another_kind_of_invocation_is_refused(make):
    with pytest.raises(SettingError, match="invocation 'DryRun': must be 'Event' or 'RequestResponse'"):
        make(LambdaProducer, invocation="DryRun")


def test_an_execution_has_the_id_in_its_name_and_in_its_input(make, service):
    service.answers["start_execution"] = {"executionArn": "arn:execution"}
    sent = make(StepFunctionsProducer, field="order.id").send({"order": {}})
    assert service.last["name"] == f"run_{sent.case_id}"
    assert json.loads(service.last["input"]) == {"order": {"id": sent.correlation_id}}
    assert sent.service_id == "arn:execution"
    assert sent.description == f"execution of m, run_{sent.case_id}"


def test_an_execution_may_have_the_id_in_one_place_only(make, service):
    make(StepFunctionsProducer, name=False).send({})
    assert "name" not in service.last
    make(StepFunctionsProducer, field=None).send([1])
    assert service.last["input"] == "[1]"
    with pytest.raises(SettingError, match="give a field, or name=True"):
        make(StepFunctionsProducer, field=None, name=False)


@pytest.mark.parametrize("own", ["a b", "order/17/1", "x" * 80])
def test_an_id_that_is_no_name_of_an_execution_is_refused(make, own):
    with pytest.raises(ProducerError, match="can't be the name of an execution"):
        make(StepFunctionsProducer).send({}, correlation_id=own)


def test_the_output_of_an_express_workflow_is_on_the_input(make, service):
    service.answers["start_sync_execution"] = {
        "status": "SUCCEEDED",
        "output": "[3]",
        "executionArn": "arn:e",
    }
    sent = make(StepFunctionsProducer, sync=True).send({})
    assert (sent.response.json(), sent.response.error, sent.service_id) == ([3], None, "arn:e")


def test_an_express_workflow_that_failed_is_an_error_unless_the_test_asks_for_it(make, service):
    producer = make(StepFunctionsProducer, sync=True)
    service.answers["start_sync_execution"] = {"status": "FAILED", "error": "Bad", "cause": "no\nlines"}
    with pytest.raises(
        ProducerError, match=r"^execution of m, run_.* failed: FAILED: Bad: no lines; with check"
    ):
        producer.send({})
    assert producer.send({}, check=False).response.error == "FAILED: Bad: no lines"
    service.answers["start_sync_execution"] = {"status": "TIMED_OUT"}
    sent = producer.send({}, check=False)
    assert (sent.response.error, sent.response.body) == ("TIMED_OUT", b"")
