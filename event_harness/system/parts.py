"""The parts of a resource map: the results table, the listener, its sources, the components."""

from dataclasses import dataclass

CORRELATIONS = ("key", "attribute", "body")
# Per type of component the fields that it may have. The first one is required.
# `resource` of type "other" is an ARN or a Terraform address: nothing is asked of it.
COMPONENT_FIELDS = {
    "s3": ("bucket",),
    "sqs": ("queue_url", "failure_queue_url"),
    "sns": ("topic_arn",),
    "eventbridge": ("bus",),
    "lambda": ("function", "log_group", "failure_queue_url"),
    "dynamodb": ("table",),
    "kinesis": ("stream",),
    "http": ("url", "log_group"),
    "stepfunctions": ("state_machine_arn", "log_group"),
    "pipe": ("pipe",),
    "other": ("resource",),
}
SOURCE_TYPES = ("dynamodb", "eventbridge", "kinesis", "s3", "sns", "sqs")


@dataclass(frozen=True)
class Results:
    """Where the listener writes: the table, its index by arrival, and the bucket for large bodies.

    `shards` is the number of partition keys that each test session is spread over.
    """

    table: str
    index: str
    overflow_bucket: str
    shards: int = 1


@dataclass(frozen=True)
class Function:
    """A Lambda function, and the places that hold its errors."""

    function: str
    log_group: str
    failure_queue_url: str | None


@dataclass(frozen=True)
class Source:
    """One source of the listener. Its id is in the key, an attribute or the body; `at` says where in it."""

    name: str
    type: str
    correlation: str
    at: str | None


@dataclass(frozen=True)
class Component:
    """One hop of an event through the system under test. Only the fields of its type are set."""

    name: str
    type: str
    bucket: str | None = None
    queue_url: str | None = None
    topic_arn: str | None = None
    bus: str | None = None
    function: str | None = None
    log_group: str | None = None
    failure_queue_url: str | None = None
    table: str | None = None
    stream: str | None = None
    url: str | None = None
    state_machine_arn: str | None = None
    pipe: str | None = None
    resource: str | None = None

    @property
    def identifier(self) -> str:
        """The required field of its type: its bucket, queue URL, topic ARN or the like."""
        return str(getattr(self, COMPONENT_FIELDS[self.type][0]))


def function_name(identifier: str) -> str:
    """The name of a function: of its ARN, or of its name with a version or an alias (`name:live`)."""
    if identifier.startswith("arn:"):
        identifier = identifier.partition(":function:")[2]
    return identifier.partition(":")[0]
