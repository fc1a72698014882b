"""Reads functions: event source mappings, asynchronous destinations, URLs, log groups."""

from event_harness.system.graph.building import Building, Reader, batch, pattern
from event_harness.system.graph.references import arn_parts
from event_harness.system.graph.state import Resource, blocks

FUNCTION = "aws_lambda_function"


def function(resource: Resource, building: Building) -> None:
    """A function's log group and dead-letter queue."""
    address = building.at_resource(resource)
    if address is None or address not in building.nodes:
        return
    named = next(iter(resource.blocks("logging_config")), {}).get("log_group")
    name = named or f"/aws/lambda/{resource.text('function_name')}"
    building.change(address, log_group=str(name))
    for letters in resource.blocks("dead_letter_config"):
        building.fails_into(address, letters.get("target_arn"), "dead-letter queue", resource)


def asynchronous(resource: Resource, building: Building) -> None:
    """A function's destinations of asynchronous invocations."""
    source = building.at(resource.values.get("function_name"), FUNCTION)
    for config in resource.blocks("destination_config"):
        for one in blocks(config, "on_success"):
            building.connect(source, building.at(one.get("destination")), "on success", resource)
        for one in blocks(config, "on_failure"):
            building.fails_into(source, one.get("destination"), "on failure", resource)


def event_source_mapping(resource: Resource, building: Building) -> None:
    """What polls a queue or a stream for a function."""
    values = resource.values
    target = building.at(values.get("function_arn"), FUNCTION) or building.at(
        values.get("function_name"), FUNCTION
    )
    source = building.at(values.get("event_source_arn")) or _brokers(resource, building)
    filters = [
        f"records {told}"
        for criteria in resource.blocks("filter_criteria")
        for one in blocks(criteria, "filter")
        if (told := pattern(one.get("pattern")))
    ]
    building.connect(
        source,
        target,
        "event source mapping",
        resource,
        filters=filters,
        notes=[batch(values), _of_stream(values.get("event_source_arn"))],
        enabled=values.get("enabled") is not False and values.get("state") != "Disabled",
    )
    for config in resource.blocks("destination_config"):
        for one in blocks(config, "on_failure"):
            building.fails_into(target, one.get("destination_arn"), "on failure", resource)


def _brokers(resource: Resource, building: Building) -> str | None:
    """A Kafka cluster that isn't AWS's own."""
    for one in resource.blocks("self_managed_event_source"):
        endpoints = one.get("endpoints") or {}
        return building.at(f"kafka {next(iter(endpoints.values()), '')}".strip())
    return None


def _of_stream(arn: object) -> str | None:
    return "stream" if "/stream/" in arn_parts(str(arn or ""))["resource"] else None


def function_url(resource: Resource, building: Building) -> None:
    """A function's own URL."""
    target = building.at(resource.values.get("function_name"), FUNCTION)
    building.connect(building.at_resource(resource), target, "function URL", resource)


READERS: dict[str, Reader] = {
    "aws_lambda_function_event_invoke_config": asynchronous,
    FUNCTION: function,
    "aws_lambda_event_source_mapping": event_source_mapping,
    "aws_lambda_function_url": function_url,
}
