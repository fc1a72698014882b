"""Which action a service of AWS performs on what it sends events to, by the ARN."""

ACTIONS = {
    "sqs": ("sqs:SendMessage",),
    "sns": ("sns:Publish",),
    "lambda": ("lambda:InvokeFunction",),
    "states": ("states:StartExecution", "states:StartSyncExecution"),
    "kinesis": ("kinesis:PutRecord", "kinesis:PutRecords"),
    "firehose": ("firehose:PutRecord", "firehose:PutRecordBatch"),
}
"""By the service of an ARN; any of the actions will do."""


def service_of(arn: str) -> str:
    """The service in an ARN; empty if it isn't one."""
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 and parts[0] == "arn" else ""


def actions_on(arn: str) -> tuple[str, ...]:
    """The actions, any of which sends an event to a resource; none if that isn't known."""
    if service_of(arn) == "events":
        parts = arn.split(":", 5)
        if parts[5].startswith("event-bus/"):
            return ("events:PutEvents",)
        return ("events:InvokeApiDestination",) if parts[5].startswith("api-destination/") else ()
    return ACTIONS.get(service_of(arn), ())


def function_of(uri: str) -> str:
    """The ARN of the function in the URI of an API's integration, or in an ARN; empty if it names none."""
    _, _, rest = uri.partition(":function:")
    name = rest.partition("/")[0]
    start = uri.rfind("arn:", 0, uri.find(":function:"))
    return f"{uri[start:].partition(':function:')[0]}:function:{name}" if name and start >= 0 else ""


def names_of(arn: str) -> tuple[str, ...]:
    """The names by which AWS may know a function: a policy for the unqualified one may do for `$LATEST`."""
    return (arn.removesuffix(":$LATEST"), arn) if arn.endswith(":$LATEST") else (arn,)
