"""Reads APIs: the integrations of API Gateway, in resources of their own or in an OpenAPI document."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from event_harness.system.graph.building import Building, Reader, decoded
from event_harness.system.graph.nodes import node_of
from event_harness.system.graph.pipelines import PARAMETERS
from event_harness.system.graph.references import ARN
from event_harness.system.graph.state import Resource

REST, V2 = "aws_api_gateway_rest_api", "aws_apigatewayv2_api"
_SERVICE = re.compile(r"arn:[a-z-]+:apigateway:[a-z0-9-]*:([a-z0-9.]+):(path|action)/(.*)")
_NAMED = {
    "sqs": "aws_sqs_queue",
    "s3": "aws_s3_bucket",
    "states": "aws_sfn_state_machine",
    "dynamodb": "aws_dynamodb_table",
    "kinesis": "aws_kinesis_stream",
    "firehose": "aws_kinesis_firehose_delivery_stream",
    "events": "aws_cloudwatch_event_bus",
    "sns": "aws_sns_topic",
}


def rest_api(resource: Resource, building: Building) -> None:
    """A REST API: its URL is that of its first stage; its document may hold integrations."""
    own = building.at_resource(resource)
    stages = [
        one.text("invoke_url")
        for kind in ("aws_api_gateway_stage", "aws_api_gateway_deployment")
        for one in building.of_type(kind)
        if one.values.get("rest_api_id") == resource.values.get("id") and one.text("invoke_url")
    ]
    _with_url(resource, building, next(iter(stages), ""))
    _document(resource, building, own)


def http_api(resource: Resource, building: Building) -> None:
    """An HTTP or WebSocket API."""
    own = building.at_resource(resource)
    stages = [
        one.text("invoke_url")
        for one in building.of_type("aws_apigatewayv2_stage")
        if one.values.get("api_id") == resource.values.get("id") and one.text("invoke_url")
    ]
    _with_url(resource, building, next(iter(stages), resource.text("api_endpoint")))
    building.connect(own, building.at(resource.values.get("target")), "integration", resource)
    _document(resource, building, own)


def _with_url(resource: Resource, building: Building, url: str) -> None:
    address = building.at_resource(resource)
    if url and address in building.nodes:
        groups = [
            str(one.get("destination_arn") or "").partition(":log-group:")[2].removesuffix(":*")
            for stage in building.of_type("aws_api_gateway_stage", "aws_apigatewayv2_stage")
            if resource.values.get("id") in (stage.values.get("api_id"), stage.values.get("rest_api_id"))
            for one in stage.blocks("access_log_settings")
        ]
        log_group = next(filter(None, groups), None)
        building.nodes[resource.address] = node_of(resource, identifier=url, log_group=log_group)


def _document(resource: Resource, building: Building, own: str | None) -> None:
    body = resource.text("body")
    paths = _mapping(_mapping(decoded(body)).get("paths"))
    if not paths:  # YAML, or no document at all
        for target in _within(body, building):
            building.connect(own, target, "integration", resource)
    for path, methods in paths.items():
        for method, operation in _mapping(methods).items():
            told = _mapping(_mapping(operation).get("x-amazon-apigateway-integration"))
            templates = [told.get("requestTemplates"), told.get("requestParameters")]
            targets = list(_of_uri(str(told.get("uri") or ""), templates, building))
            subtype, parameters = told.get("integrationSubtype"), told.get("requestParameters")
            for target in targets or _of_subtype(subtype, _mapping(parameters), building):
                building.connect(own, target, f"integration {method.upper()} {path}", resource)


def rest_integration(resource: Resource, building: Building) -> None:
    """An integration of a REST API's method."""
    values = resource.values
    own = building.at(values.get("rest_api_id"), REST)
    path = next(
        (
            one.text("path")
            for one in building.of_type("aws_api_gateway_resource")
            if one.values.get("id") == values.get("resource_id")
        ),
        "/",
    )
    kind = f"integration {values.get('http_method') or 'ANY'} {path}"
    told = [values.get("request_templates"), values.get("request_parameters")]
    for target in _of_uri(str(values.get("uri") or ""), told, building):
        building.connect(own, target, kind, resource)


def http_integration(resource: Resource, building: Building) -> None:
    """An integration of an HTTP API, with its routes."""
    values = resource.values
    own = building.at(values.get("api_id"), V2)
    target_id = f"integrations/{values.get('id')}"
    routes = [
        one.text("route_key")
        for one in building.of_type("aws_apigatewayv2_route")
        if one.values.get("api_id") == values.get("api_id") and one.values.get("target") == target_id
    ]
    kind = " ".join(["integration", ", ".join(sorted(routes))]).strip()
    targets = list(_of_uri(str(values.get("integration_uri") or ""), [], building))
    parameters = _mapping(values.get("request_parameters"))
    targets += _of_subtype(values.get("integration_subtype"), parameters, building)
    for target in dict.fromkeys(targets):
        building.connect(own, target, kind, resource)


def authorizer(resource: Resource, building: Building) -> None:
    """A function that decides who may call an API."""
    own = building.at(resource.values.get("rest_api_id") or resource.values.get("api_id"), REST, V2)
    for target in _within(resource.text("authorizer_uri"), building):
        building.connect(own, target, "authorizer", resource)


def _of_subtype(subtype: object, parameters: Mapping[str, Any], building: Building) -> list[str]:
    """The places that an HTTP API's own integration with a service names."""
    if not subtype:
        return []
    named = [name for name in parameters if name in PARAMETERS]
    found = [building.at(parameters[name], *PARAMETERS[name]) for name in named]
    if str(subtype).startswith("EventBridge-") and not named:
        return [building.bus("default")]
    return [target for target in found if target]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _of_uri(uri: str, told: list[Any], building: Building) -> Iterator[str]:
    """The places that an integration calls."""
    if not uri:
        return
    if found := list(_within(uri, building)):
        yield from found
        return
    match = _SERVICE.fullmatch(uri)
    if match is None:
        if uri.startswith("http") and (outside := building.at(uri)):
            yield outside
        return
    service, how, path = match.groups()
    kind = _NAMED.get(service, "")
    text = str(told)
    named = path.rpartition("/")[2] if service == "sqs" else path.partition("/")[0]
    if how == "path" and kind and (target := building.at(named, kind)):
        yield target
        return
    inside = [at for one in building.references.within(text) if (at := building.at_resource(one))]
    words = set(re.findall(r"[A-Za-z0-9_.-]+", text))
    alike = [one for one in building.of_type(kind) if one.text("name") in words]
    by_name = [at for one in alike if (at := building.at_resource(one))]
    default = [building.bus("default")] if service == "events" else []
    yield from dict.fromkeys(inside or by_name or default)


def _within(text: str, building: Building) -> Iterator[str]:
    """The functions and other resources whose ARNs are in a text."""
    for arn in ARN.findall(text):
        # arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION/invocations
        inner = "arn:" + arn.rpartition("arn:")[2].removesuffix("/invocations")
        if ":apigateway:" in inner or ":iam:" in inner:
            continue
        if found := building.at(inner):
            yield found


READERS: dict[str, Reader] = {
    REST: rest_api,
    V2: http_api,
    "aws_api_gateway_integration": rest_integration,
    "aws_apigatewayv2_integration": http_integration,
    "aws_api_gateway_authorizer": authorizer,
    "aws_apigatewayv2_authorizer": authorizer,
}
