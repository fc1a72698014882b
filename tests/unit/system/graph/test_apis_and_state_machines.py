"""APIs and state machines: what they call becomes an edge."""

import json

import pytest
from states import ACCOUNT, REGION, arn, bus, drawn, function, graph_of, queue, resource, role, table, topic

from event_harness.system.graph.definition import tasks

API = "https://abc.execute-api.eu-west-1.amazonaws.com"


def machine(label="flow", **values):
    own = arn("states", f"stateMachine:{label}")
    return resource(f"aws_sfn_state_machine.{label}", name=label, id=own, arn=own, **values)


def definition(**states):
    return json.dumps({"StartAt": next(iter(states)), "States": states})


def task(resource, **given):
    return {"Type": "Task", "Resource": resource, **given}


def test_rest_api_with_a_function_a_queue_and_a_state_machine():
    def integration(name, uri, **values):
        return resource(
            f"aws_api_gateway_integration.{name}",
            rest_api_id="abc",
            resource_id="r1",
            http_method="POST",
            uri=f"arn:aws:apigateway:{REGION}:{uri}",
            **values,
        )

    graph = graph_of(
        resource(
            "aws_api_gateway_rest_api.shop", id="abc", name="shop", execution_arn=arn("execute-api", "abc")
        ),
        resource("aws_api_gateway_resource.orders", id="r1", rest_api_id="abc", path="/orders"),
        resource("aws_api_gateway_stage.live", rest_api_id="abc", invoke_url=f"{API}/live"),
        function("handle"),
        queue("inbox"),
        machine(),
        integration(
            "handle",
            f"lambda:path/2015-03-31/functions/{arn('lambda', 'function:handle:live')}/invocations",
        ),
        integration("inbox", f"sqs:path/{ACCOUNT}/inbox"),
        integration(
            "flow",
            "states:action/StartExecution",
            request_templates={
                "application/json": f'{{"stateMachineArn": "{arn("states", "stateMachine:flow")}"}}'
            },
        ),
    )
    assert drawn(graph) == {
        "shop -> handle: integration POST /orders",
        "shop -> inbox: integration POST /orders",
        "shop -> flow: integration POST /orders",
    }
    shop = graph.nodes["aws_api_gateway_rest_api.shop"]
    assert (shop.type, shop.identifier) == ("http", f"{API}/live")


def test_http_api_with_routes_subtypes_and_an_authorizer():
    graph = graph_of(
        resource("aws_apigatewayv2_api.shop", id="abc", api_endpoint=API),
        resource("aws_apigatewayv2_stage.live", api_id="abc", invoke_url=f"{API}/live"),
        function("handle"),
        function("check"),
        queue("inbox"),
        resource(
            "aws_apigatewayv2_integration.handle",
            id="i1",
            api_id="abc",
            integration_uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
            f"{arn('lambda', 'function:handle')}/invocations",
        ),
        resource("aws_apigatewayv2_route.handle", api_id="abc", route_key="GET /x", target="integrations/i1"),
        resource(
            "aws_apigatewayv2_integration.inbox",
            id="i2",
            api_id="abc",
            integration_subtype="SQS-SendMessage",
            request_parameters={"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/inbox"},
        ),
        resource("aws_apigatewayv2_route.inbox", api_id="abc", route_key="POST /x", target="integrations/i2"),
        resource(
            "aws_apigatewayv2_integration.events",
            id="i3",
            api_id="abc",
            integration_subtype="EventBridge-PutEvents",
            request_parameters={"Source": "shop"},
        ),
        resource(
            "aws_apigatewayv2_authorizer.check",
            api_id="abc",
            authorizer_uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
            f"{arn('lambda', 'function:check')}/invocations",
        ),
    )
    assert drawn(graph) == {
        "shop -> handle: integration GET /x",
        "shop -> inbox: integration POST /x",
        "shop -> default: integration",
        "shop -> check: authorizer",
    }
    assert graph.nodes["aws_apigatewayv2_api.shop"].identifier == f"{API}/live"


@pytest.mark.parametrize(
    ("api", "stage", "key"),
    [
        ("aws_api_gateway_rest_api", "aws_api_gateway_stage", "rest_api_id"),
        ("aws_apigatewayv2_api", "aws_apigatewayv2_stage", "api_id"),
    ],
)
def test_each_api_has_the_address_of_a_stage_of_its_own(api, stage, key):
    parts = []
    for name in ("one", "two"):
        parts += [
            resource(f"{api}.{name}", id=name, name=name),
            resource(f"{stage}.{name}-new", invoke_url="", **{key: name}),  # not deployed yet
            resource(f"{stage}.{name}", invoke_url=f"https://{name}.example.org/live", **{key: name}),
        ]
    nodes = graph_of(*parts).nodes
    found = {name: nodes[f"{api}.{name}"].identifier for name in ("one", "two")}
    assert found == {name: f"https://{name}.example.org/live" for name in ("one", "two")}


def test_integrations_in_an_openapi_document():
    own = arn("lambda", "function:handle")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{own}/invocations"

    def operation(**told):
        return {"post": {"x-amazon-apigateway-integration": told}}

    paths = {
        "/x": operation(uri=uri),
        "/y": operation(uri=f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/inbox"),
        "/z": operation(integrationSubtype="EventBridge-PutEvents", requestParameters={"Source": "shop"}),
        "/w": operation(
            integrationSubtype="StepFunctions-StartExecution",
            requestParameters={"StateMachineArn": arn("states", "stateMachine:flow")},
        ),
        "/v": operation(type="mock"),
    }
    body = json.dumps({"paths": paths})
    parts = [function("handle"), queue("inbox"), machine()]
    graph = graph_of(resource("aws_apigatewayv2_api.shop", id="abc", body=body), *parts)
    assert drawn(graph) == {
        "shop -> handle: integration POST /x",
        "shop -> inbox: integration POST /y",
        "shop -> default: integration POST /z",
        "shop -> flow: integration POST /w",
    }
    yaml = graph_of(
        resource("aws_api_gateway_rest_api.shop", id="abc", body=f"uri: {uri}"), function("handle")
    )
    assert drawn(yaml) == {"shop -> handle: integration"}


def test_function_url():
    graph = graph_of(
        function("handle"),
        resource(
            "aws_lambda_function_url.handle", function_name="handle", function_url="https://x.lambda-url/"
        ),
    )
    assert drawn(graph) == {"handle_http -> handle_lambda: function URL"}


def test_tasks_of_all_kinds_nested_ones_too():
    lines = definition(
        Check=task(
            "arn:aws:states:::lambda:invoke",
            Parameters={"FunctionName": arn("lambda", "function:check:live")},
        ),
        Each={
            "Type": "Map",
            "ItemProcessor": {
                "States": {
                    "Keep": task("arn:aws:states:::dynamodb:putItem", Parameters={"TableName": "orders"}),
                    "Look": task("arn:aws:states:::dynamodb:getItem", Parameters={"TableName": "stock"}),
                }
            },
        },
        Both={
            "Type": "Parallel",
            "Branches": [
                {
                    "States": {
                        "Tell": task(
                            "arn:aws:states:::sns:publish", Parameters={"TopicArn": arn("sns", "told")}
                        )
                    }
                },
                {
                    "States": {
                        "Queue": task(
                            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                            Arguments={"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs"},
                        )
                    }
                },
            ],
        },
        Emit=task(
            "arn:aws:states:::events:putEvents",
            Parameters={"Entries": [{"EventBusName": "shop"}, {"Detail": "x"}]},
        ),
        Next=task(
            "arn:aws:states:::states:startExecution.sync:2",
            Parameters={"StateMachineArn": arn("states", "stateMachine:other")},
        ),
        Run=task(
            "arn:aws:states:::ecs:runTask.sync",
            Parameters={"TaskDefinition": arn("ecs", "task-definition/job:3")},
        ),
        Direct=task(arn("lambda", "function:direct")),
    )
    graph = graph_of(
        machine(
            definition=lines,
            logging_configuration=[{"log_destination": arn("logs", "log-group:/acme/flow:*")}],
        ),
        machine("other"),
        function("check"),
        function("direct"),
        table("orders"),
        table("stock"),
        topic("told"),
        queue("jobs"),
        bus("shop"),
    )
    assert drawn(graph) == {
        "flow -> check: task Check",
        "flow -> orders: task Keep",
        "flow -> stock: task Look",
        "flow -> told: task Tell",
        "flow -> jobs: task Queue",
        "flow -> shop: task Emit",
        "flow -> default: task Emit",
        "flow -> other: task Next",
        "flow -> job:3: task Run",
        "flow -> direct: task Direct",
    }
    assert [graph.nodes[edge.target].name for edge in graph.edges if edge.reads] == ["stock"]
    assert graph.nodes["aws_sfn_state_machine.flow"].log_group == "/acme/flow"


def test_task_whose_resource_is_known_only_at_run_time_is_told_by_the_role():
    lines = definition(
        Any=task("arn:aws:states:::lambda:invoke", Parameters={"FunctionName.$": "$.function"})
    )
    graph = graph_of(
        machine(definition=lines, role_arn=arn("iam", "role/flow", "")),
        role("flow", (["lambda:InvokeFunction"], [f"{arn('lambda', 'function:check')}:*"])),
        function("check"),
    )
    assert drawn(graph) == {"flow -> check: may write (allowed)"}


@pytest.mark.parametrize(
    ("type_", "told"), [("STANDARD", {"flow -> default: status changes"}), ("EXPRESS", set())]
)
def test_express_workflow_tells_the_bus_nothing(type_, told):
    rule = resource("aws_cloudwatch_event_rule.ends", name="ends", event_pattern='{"source": ["aws.states"]}')
    target = resource("aws_cloudwatch_event_target.ends", rule="ends", arn=arn("sqs", "ended"))
    graph = graph_of(machine(type=type_), rule, target, queue("ended"))
    assert drawn(graph) == {"default -> ended: rule ends", *told}


def test_machine_without_a_task_writes_nowhere_whatever_its_role_allows():
    """Pipes and machines often share a role."""
    graph = graph_of(
        machine(definition=definition(Done={"Type": "Pass"}), role_arn=arn("iam", "role/flow", "")),
        role("flow", (["sqs:SendMessage"], [arn("sqs", "inbox")])),
        queue("inbox"),
    )
    assert drawn(graph) == set()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"States": 3}', '{"States": {"A": {"Type": "Task"}}}'])
def test_definition_that_holds_no_task(text):
    assert tasks(text) == []
