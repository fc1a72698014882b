"""Events enter a system through an API, a function or a state machine, too."""

import pytest
from reports_of_waits import report_of

from event_harness.errors import ProducerError, WaitTimeoutError
from event_harness.producers import HttpProducer, LambdaProducer, StepFunctionsProducer, producers_for
from event_harness.system.resources import Component


@pytest.fixture(scope="module")
def listener(listener_of):
    return listener_of("entrances")


def test_every_entrance_has_its_producer(listener):
    assert list(producers_for(listener)) == ["orders", "legacy", "checkout", "relay", "out"]


@pytest.mark.parametrize(
    "settings",
    [
        {"path": "/orders/a b"},
        {"path": "/orders/x", "header": None, "field": "correlation_id"},
    ],
    ids=["header", "field"],
)
def test_request_to_an_http_api_arrives(listener, settings):
    sent = HttpProducer.on(listener, "orders", **settings).send({"total": 3})
    assert sent.response.status == 202
    result = listener.wait_for(sent)
    assert result.json()["total"] == 3
    assert result.json()["path"] in ("/orders/a b", "/orders/x")


def test_request_to_a_rest_api_arrives(listener):
    sent = HttpProducer.on(listener, "legacy", path="/orders").send({"total": 4})
    assert listener.wait_for(sent).json()["total"] == 4


def test_error_status_is_raised_or_told(listener):
    producer = HttpProducer.on(listener, "orders", path="/orders/x")
    with pytest.raises(ProducerError, match=r"POST https?://.*/orders/x: answered 422: .*negative"):
        producer.send({"total": -1})
    sent = producer.send({"total": -1}, check=False)
    assert sent.response.status == 422
    assert sent.response.json()["total"] == -1
    with pytest.raises(WaitTimeoutError, match=r"^orders answered 422"):
        listener.wait_for(sent, timeout=1)


def test_missing_route_is_told(listener):
    with pytest.raises(ProducerError, match="answered 404"):
        HttpProducer.on(listener, "orders", path="/nothing").send({})


@pytest.mark.parametrize("signed", [False, True])
def test_request_to_the_url_of_a_function_arrives(listener, signed):
    """Provider 3.39 doesn't know function URLs."""
    client = listener.target.client("lambda")
    function = listener.resources.component("relay").function
    kind = "AWS_IAM" if signed else "NONE"
    url = client.create_function_url_config(FunctionName=function, AuthType=kind)["FunctionUrl"]
    try:
        component = Component("url", "http", url=url)
        producer = HttpProducer(component, listener.target, listener.session_id, sign=signed)
        assert listener.wait_for(producer.send({"total": 5})).json()["total"] == 5
        if signed:
            unsigned = HttpProducer(component, listener.target, listener.session_id)
            with pytest.raises(ProducerError, match="answered 403"):
                unsigned.send({"total": 5})
    finally:
        client.delete_function_url_config(FunctionName=function)


@pytest.mark.parametrize("invocation", ["Event", "RequestResponse"])
def test_invocation_arrives(listener, invocation):
    sent = LambdaProducer.on(listener, "relay", invocation=invocation).send({"total": 6})
    assert listener.wait_for(sent).json()["total"] == 6
    if invocation == "RequestResponse":
        assert sent.response.json()["total"] == 6


def test_function_that_fails_is_raised_or_told(listener):
    producer = LambdaProducer.on(listener, "relay", invocation="RequestResponse")
    with pytest.raises(ProducerError, match=r"function .*-relay failed: .*negative total"):
        producer.send({"total": -1})
    assert "negative total" in producer.send({"total": -1}, check=False).response.error


def test_execution_arrives_under_the_id_in_its_name(listener):
    sent = StepFunctionsProducer.on(listener, "checkout").send({"total": 7})
    assert listener.wait_for(sent).json()["total"] == 7
    assert sent.service_id.endswith(sent.correlation_id.replace("/", "_"))


def test_failed_execution_is_explained_with_its_state_and_error(listener):
    sent = StepFunctionsProducer.on(listener, "checkout").send({"total": -1})
    report = report_of(listener, sent, lambda report: "negative total" in report.cause)
    assert "negative total" in report.headline()[0]
    told = {finding.component: finding for finding in report.findings}
    assert told["checkout"].text.startswith("its execution failed in state Relay: ")
    assert "negative total" in told["checkout"].text
    assert told["relay"].state == "failed"


def test_request_of_the_tests_own_is_adopted(listener):
    sent = listener.sent("an order by phone", component="relay")
    listener.target.client("lambda").invoke(
        FunctionName=listener.resources.component("relay").function,
        InvocationType="Event",
        Payload=f'{{"correlation_id": "{sent.correlation_id}", "total": 8}}',
    )
    assert listener.wait_for(sent).json()["total"] == 8


def test_request_that_must_be_signed_arrives(listener):
    apis, url = listener.target.client("apigatewayv2"), listener.resources.component("orders").url
    api = url.partition("://")[2].partition(".")[0]
    integration = apis.get_integrations(ApiId=api)["Items"][0]["IntegrationId"]
    apis.create_route(
        ApiId=api,
        RouteKey="POST /signed",
        Target=f"integrations/{integration}",
        AuthorizationType="AWS_IAM",
    )
    sent = HttpProducer.on(listener, "orders", path="/signed", sign=True).send({"total": 9})
    assert listener.wait_for(sent).json()["total"] == 9
    with pytest.raises(ProducerError, match=r"answered 403: .*AWS_IAM, set sign=True"):
        HttpProducer.on(listener, "orders", path="/signed").send({"total": 9})


def test_awaited_execution_of_an_express_workflow_arrives(listener):
    machines = listener.target.client("stepfunctions")
    like = machines.describe_state_machine(
        stateMachineArn=listener.resources.component("checkout").state_machine_arn
    )
    arn = machines.create_state_machine(
        name=f"{like['name']}-express", type="EXPRESS", definition=like["definition"], roleArn=like["roleArn"]
    )["stateMachineArn"]
    try:
        component = Component("express", "stepfunctions", state_machine_arn=arn)
        producer = StepFunctionsProducer(component, listener.target, listener.session_id, sync=True)
        sent = producer.send({"total": 10})
        assert sent.response.json()["total"] == 10
        assert listener.wait_for(sent).json()["total"] == 10
        with pytest.raises(ProducerError, match=r"execution of .*-express, .* failed: FAILED: .*negative"):
            producer.send({"total": -1})
    finally:
        machines.delete_state_machine(stateMachineArn=arn)


def test_invocation_of_an_alias_arrives(listener):
    client, function = listener.target.client("lambda"), listener.resources.component("relay").function
    version = client.publish_version(FunctionName=function)["Version"]
    client.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    try:
        sent = LambdaProducer.on(listener, "relay", qualifier="live").send({"total": 11})
        assert listener.wait_for(sent).json()["total"] == 11
        with pytest.raises(ProducerError, match="relay:gone: could not be sent: ResourceNotFoundException"):
            LambdaProducer.on(listener, "relay", qualifier="gone").send({"total": 11})
    finally:
        client.delete_alias(FunctionName=function, Name="live")
