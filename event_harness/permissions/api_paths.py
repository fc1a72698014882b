"""How AWS names a call of an API to a permission: `STAGE/METHOD/PATH` behind the id of the API."""

import re
from collections.abc import Iterable

from event_harness.system.graph.state import Resource


def of_routes(integration: Resource, resources: Iterable[Resource]) -> list[str]:
    """The calls of the routes that lead to an integration of an HTTP or WebSocket API."""
    target = f"integrations/{integration.text('id')}"
    routes = [
        one.text("route_key")
        for one in resources
        if one.type == "aws_apigatewayv2_route"
        and one.text("api_id") == integration.text("api_id")
        and one.text("target") == target
    ]
    return [_of_route(route) for route in routes] or ["*/*"]


def of_method(integration: Resource, resources: Iterable[Resource]) -> list[str]:
    """The calls of the method that has an integration of a REST API."""
    api, resource = integration.text("rest_api_id"), integration.text("resource_id")
    path = next(
        (
            one.text("path")
            for one in resources
            if one.type == "aws_api_gateway_resource"
            and (one.text("rest_api_id"), one.text("id")) == (api, resource)
        ),
        "/*",
    )
    return [_call(integration.text("http_method") or "*", path)]


def _of_route(route: str) -> str:
    method, space, path = route.partition(" ")
    return _call(method, path) if space else f"*/{route}"


def _call(method: str, path: str) -> str:
    """A call at any stage; parameters in the path may be anything."""
    return f"*/{'*' if method == 'ANY' else method}{re.sub(r'{[^}]*}', '*', path)}"
