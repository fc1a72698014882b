"""Reads what passes events on by itself: pipes, schedules, streams, log filters, state machines."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from event_harness.system.graph.building import Building, Reader, batch, decoded, pattern
from event_harness.system.graph.definition import tasks
from event_harness.system.graph.messaging import schedule
from event_harness.system.graph.references import ARN
from event_harness.system.graph.state import Resource, blocks

FUNCTION, STREAM, BUCKET = "aws_lambda_function", "aws_kinesis_stream", "aws_s3_bucket"
# By the last word of an AWS SDK call's parameter: the resource types that it may name.
PARAMETERS = {
    "FunctionName": (FUNCTION,),
    "TopicArn": ("aws_sns_topic",),
    "TargetArn": ("aws_sns_topic",),
    "QueueUrl": ("aws_sqs_queue",),
    "TableName": ("aws_dynamodb_table",),
    "EventBusName": ("aws_cloudwatch_event_bus",),
    "StateMachineArn": ("aws_sfn_state_machine",),
    "StreamName": (STREAM, "aws_kinesis_firehose_delivery_stream"),
    "StreamARN": (STREAM,),
    "DeliveryStreamName": ("aws_kinesis_firehose_delivery_stream",),
    "Bucket": (BUCKET,),
}


def pipe(resource: Resource, building: Building) -> None:
    """An EventBridge pipe: its source, its filters, its enrichment and its target."""
    own = building.at_resource(resource)
    values = resource.values
    filters, notes = [], []
    for parameters in resource.blocks("source_parameters"):
        for criteria in blocks(parameters, "filter_criteria"):
            given = [*blocks(criteria, "filter"), *blocks(criteria, "filters")]  # of aws, of awscc
            told = (pattern(one.get("pattern")) for one in given)
            filters += [f"records {one}" for one in told if one]
        for one in (block for name in parameters for block in blocks(parameters, name)):
            notes.append(batch(one))
            for letters in blocks(one, "dead_letter_config"):
                building.fails_into(own, letters.get("arn"), "dead-letter queue", resource)
    enabled = values.get("desired_state") != "STOPPED"
    source, target = building.at(values.get("source")), building.at(values.get("target"))
    building.connect(source, own, "pipe source", resource, filters=filters, notes=notes, enabled=enabled)
    building.connect(own, building.at(values.get("enrichment")), "enrichment", resource, enabled=enabled)
    transformed = any(one.get("input_template") for one in resource.blocks("target_parameters"))
    building.connect(
        own,
        target,
        "pipe target",
        resource,
        notes=["input transformed" if transformed else None],
        enabled=enabled,
    )


def stack(resource: Resource, building: Building) -> None:
    """The pipes of a CloudFormation stack: releases of the provider before 5.x know no pipe of their own."""
    template = decoded(resource.text("template_body"))
    parts = template.get("Resources") if isinstance(template, Mapping) else None
    for name, part in parts.items() if isinstance(parts, Mapping) else ():
        given = part.get("Properties") or {}
        if part.get("Type") != "AWS::Pipes::Pipe" or not isinstance(given.get("Name"), str):
            continue
        filters = (given.get("SourceParameters") or {}).get("FilterCriteria", {}).get("Filters", [])
        values = {
            "name": given["Name"],
            "source": given.get("Source"),
            "enrichment": given.get("Enrichment"),
            "target": given.get("Target"),
            "desired_state": given.get("DesiredState"),
            "source_parameters": [
                {"filter_criteria": [{"filter": [{"pattern": one.get("Pattern")} for one in filters]}]}
            ],
        }
        address = f"{resource.address}/{name}"
        pipe(Resource(address, resource.module, "aws_pipes_pipe", name, None, values), building)


def scheduled(resource: Resource, building: Building) -> None:
    """A schedule of EventBridge Scheduler. Its target may be any call of the AWS SDK."""
    own = schedule(resource, building)
    enabled = resource.values.get("state") != "DISABLED"
    for one in resource.blocks("target"):
        arn = str(one.get("arn") or "")
        if ":aws-sdk:" in arn:
            told = list(_parameters(decoded(one.get("input"))))
            found = [building.at(value, *PARAMETERS[name]) for name, value in told]
            targets: list[str | None] = [*found] or [building.at(arn)]
        else:
            targets = [building.at(arn)]
        notes = ["AWS SDK call" if ":aws-sdk:" in arn else None]
        for target in targets:
            building.connect(own, target, "schedule", resource, notes=notes, enabled=enabled)
        for letters in blocks(one, "dead_letter_config"):
            building.fails_into(own, letters.get("arn"), "dead-letter queue", resource)


def _parameters(value: Any) -> Iterator[tuple[str, str]]:
    """The parameters, anywhere in a value, that name a resource."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in PARAMETERS and isinstance(inner, str):
                yield name, inner
            else:
                yield from _parameters(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parameters(inner)


def delivery(resource: Resource, building: Building) -> None:
    """A Firehose stream: its source, its function, its bucket or other destination."""
    own = building.at_resource(resource)
    for one in resource.blocks("kinesis_source_configuration"):
        building.connect(building.at(one.get("kinesis_stream_arn")), own, "Firehose source", resource)
    functions, stores = set(), set()
    for block, arn, inside in _arns(resource.values):
        target = building.at(arn)
        node = building.nodes.get(target or "")
        if node is None or target == own or arn == resource.text("arn"):
            continue
        if node.type == "lambda":
            functions.add(target)
        elif node.type == "s3" or block == "http_endpoint_configuration":
            stores.add((target, "s3_backup_configuration" in inside))
    for function in sorted(filter(None, functions)):
        building.connect(own, function, "transformation", resource)
        building.connect(function, own, "transformation", resource)
    for target, backup in sorted((str(one), backup) for one, backup in stores):
        building.connect(own, target, "Firehose backup" if backup else "Firehose destination", resource)


def _arns(
    values: Mapping[str, Any], inside: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The ARNs of resources in the blocks of a resource, each with the blocks that it lies in."""
    for name, value in values.items():
        if isinstance(value, str) and inside and (found := ARN.match(value)) and ":iam:" not in value:
            yield inside[0], found[0], inside
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Mapping) and name not in ("tags", "tags_all", "timeouts"):
                yield from _arns(inner, (*inside, name))


def streaming(resource: Resource, building: Building) -> None:
    """A table's changes in a Kinesis stream."""
    source = building.at(resource.values.get("table_name"), "aws_dynamodb_table")
    building.connect(source, building.at(resource.values.get("stream_arn")), "stream", resource)


def log_filter(resource: Resource, building: Building) -> None:
    """Log lines that CloudWatch sends on."""
    name = resource.text("log_group_name")
    owner = next((one.address for one in building.nodes.values() if one.log_group == name), None)
    source = owner or building.at(name, "aws_cloudwatch_log_group")
    told = resource.text("filter_pattern")
    building.connect(
        source,
        building.at(resource.values.get("destination_arn")),
        "log subscription",
        resource,
        filters=[f"lines {told!r}"] if told else [],
    )


def replication(resource: Resource, building: Building) -> None:
    """A bucket's copies in another bucket."""
    source = building.at(resource.values.get("bucket"), BUCKET)
    for rule in resource.blocks("rule"):
        for one in blocks(rule, "destination"):
            building.connect(source, building.at(one.get("bucket")), "replication", resource)


def alarm(resource: Resource, building: Building) -> None:
    """What an alarm tells."""
    own = building.at_resource(resource)
    for name in ("alarm_actions", "ok_actions", "insufficient_data_actions"):
        for arn in resource.values.get(name) or []:
            target = None if ":automate:" in str(arn) else building.at(arn)
            building.connect(own, target, "alarm", resource)


def iot_rule(resource: Resource, building: Building) -> None:
    """The actions of an IoT topic rule."""
    own = building.at_resource(resource)
    for name in resource.values:
        for one in resource.blocks(name):
            references = (
                one.get(part) for part in ("function_arn", "queue_url", "target_arn", "stream_name")
            )
            tables = (one.get("table_name"), *(put.get("table_name") for put in blocks(one, "put_item")))
            for reference in references:
                building.connect(own, building.at(reference, STREAM), f"IoT {name}", resource)
            for table in tables:
                building.connect(own, building.at(table, "aws_dynamodb_table"), f"IoT {name}", resource)
            building.connect(own, building.at(one.get("bucket_name"), BUCKET), f"IoT {name}", resource)


def state_machine(resource: Resource, building: Building) -> None:
    """The tasks of a state machine, and its log group."""
    own = building.at_resource(resource)
    if own is None:
        return
    for config in resource.blocks("logging_configuration"):
        if group := str(config.get("log_destination") or "").partition(":log-group:")[2].removesuffix(":*"):
            building.nodes[own] = replace(building.nodes[own], log_group=group)
    for task in tasks(resource.text("definition")):
        target = building.at(task.reference, *PARAMETERS.get(task.parameter, ()))
        building.connect(own, target, f"task {task.name}", resource, notes=[task.action], reads=task.reads)


READERS: dict[str, Reader] = {
    "aws_pipes_pipe": pipe,
    "awscc_pipes_pipe": pipe,
    "aws_cloudformation_stack": stack,
    "aws_scheduler_schedule": scheduled,
    "aws_kinesis_firehose_delivery_stream": delivery,
    "aws_dynamodb_kinesis_streaming_destination": streaming,
    "aws_cloudwatch_log_subscription_filter": log_filter,
    "aws_s3_bucket_replication_configuration": replication,
    "aws_cloudwatch_metric_alarm": alarm,
    "aws_iot_topic_rule": iot_rule,
    "aws_sfn_state_machine": state_machine,
}
