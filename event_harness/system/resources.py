"""The resource map: names the places that the harness reads and sends to.

It comes from the Terraform output `event_harness`, a JSON file or an SSM parameter. It is checked here.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jmespath
from jmespath.exceptions import JMESPathError

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.errors import GateShutError, ResourceMapError
from event_harness.machine.boundary import explained
from event_harness.system.graph.model import Graph
from event_harness.system.graph.walks import entries
from event_harness.system.strict_json import Fields

SCHEMA = 1
MOST_SHARDS = 100
_MOST_BYTES = 1024 * 1024  # of a file; a map of 100 components takes 30 KB
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
_ANY_COMPONENT = {"name", "type"}.union(*COMPONENT_FIELDS.values())


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


@dataclass(frozen=True)
class ResourceMap:
    """All places of a deployed system that the harness uses.

    `origin` says where the map was read. `graph` tells how the components are connected, if Terraform's state
    is at hand. `by_hand` says whether the user has listed components.
    """

    region: str
    results: Results
    listener: Function
    sources: Mapping[str, Source]
    components: tuple[Component, ...]
    origin: str = field(compare=False)
    graph: Graph | None = field(default=None, compare=False)
    by_hand: bool = field(default=True, compare=False)

    @classmethod
    @explained()
    def from_mapping(cls, value: object, origin: str) -> "ResourceMap":
        """Check a decoded JSON value, such as the Terraform output's, and make a map of it.

        Args:
            value: The value of the module's output `event_harness`, or None.
            origin: Where the value came from, for messages: `terraform output event_harness`, a path…

        Raises:
            GateShutError: The value is null: the system is deployed without its test resources.
            ResourceMapError: The value isn't a resource map. The message names the field.
        """
        if value is None:
            raise GateShutError(
                f"{origin} is null: the system is deployed without its test resources;"
                " set deploy_test_resources = true and apply again"
            )
        return _Checker(origin).resource_map(value)

    @classmethod
    @explained()
    def from_file(cls, path: Path | str) -> "ResourceMap":
        """Read the map from a JSON file, as `terraform output -json event_harness > file` writes it.

        Raises:
            GateShutError: The file says null.
            ResourceMapError: The file can't be read, or isn't a resource map.
        """
        try:
            text = _text(Path(path))
        except OSError as error:
            raise ResourceMapError(
                f"resource map {path}: {error.strerror or error}; write it with"
                " `terraform output -json event_harness`"
            ) from error
        except UnicodeDecodeError as error:
            raise ResourceMapError(
                f"resource map {path}: not UTF-8 at byte {error.start}; must be JSON"
            ) from error
        return cls.from_mapping(_decoded(text, f"resource map {path}"), f"resource map {path}")

    @classmethod
    @explained()
    def from_ssm(cls, name: str, target: Target) -> "ResourceMap":
        """Read the map from the SSM parameter `name` (JSON). IAM: ssm:GetParameter.

        Raises:
            GateShutError: The parameter says null.
            ResourceMapError: The parameter can't be read, or isn't a resource map.
        """
        origin = f"SSM parameter {name}"
        try:
            answer = target.client("ssm").get_parameter(Name=name, WithDecryption=True)
        except AWS_ERRORS as error:
            raise ResourceMapError(
                f"{origin}: {message_of(error)}; the deployment must write its event_harness output there,"
                " and you need ssm:GetParameter"
            ) from error
        return cls.from_mapping(_decoded(str(answer["Parameter"]["Value"]), origin), origin)

    def component(self, name: str | None = None) -> Component:
        """Return the component of this name; without a name the first one, where events enter the system.

        Raises:
            ResourceMapError: There is no such component.
        """
        if not self.components:
            raise ResourceMapError(
                f"{self.origin}: has no components; list them in the module's `components`"
            )
        if name is None:
            return self.components[0]
        for component in self.components:
            if component.name == name:
                return component
        known = ", ".join(component.name for component in self.components)
        raise ResourceMapError(f"{self.origin}: no component {name!r}; there are: {known}")

    def entry(self, types: Collection[str], name: str | None = None) -> Component:
        """The component where events enter the system, the default of tests.

        It is the component of this name, else the first listed one that takes inputs. Where none is listed,
        it is the one that nothing in the system leads to.

        Args:
            types: The types of components that take inputs.
            name: The user's choice.

        Raises:
            ResourceMapError: There is none, or there are several to choose from.
        """
        if name is not None:
            return self.component(name)
        able = [component for component in self.components if component.type in types]
        if self.graph is not None and not self.by_hand:
            graph = self.graph
            addresses = entries(graph, lambda address: graph.nodes[address].type in types)
            names = [graph.nodes[address].name for address in addresses]
            if len(names) > 1:
                raise ResourceMapError(
                    f"events enter the system at several places: {', '.join(names)}; choose one: take it"
                    f" from the fixture producers (producers[{names[0]!r}]), or let the fixture"
                    " harness_entry return its name"
                )
            able = [component for component in able if component.name in names] or able
        if able:
            return able[0]
        raise ResourceMapError(
            f"{self.origin}: none of its components takes inputs;"
            f" list one of type {', '.join(sorted(types))} in the module's `components`"
        )

    @property
    def owners(self) -> dict[str, str]:
        """Name of each function and queue -> name of its component (or `event_listener`).

        Messages name functions and queues by ARN; the last part of it is the name.
        """
        functions = {function_name(s.function): s.name for s in self.components if s.function}
        queues = {str(s.queue_url).rpartition("/")[2]: s.name for s in self.components if s.queue_url}
        return {function_name(self.listener.function): "event_listener", **queues, **functions}

    @property
    def failure_queues(self) -> dict[str, str]:
        """URL of each on-failure queue -> the components that fail into it: `price`, or `price or ship`.

        `event_listener` is the listener.
        """
        sharing: dict[str, list[str]] = {}
        for component in self.components:
            if component.failure_queue_url:
                sharing.setdefault(component.failure_queue_url, []).append(component.name)
        if self.listener.failure_queue_url:
            sharing.setdefault(self.listener.failure_queue_url, ["event_listener"])
        return {url: " or ".join(names) for url, names in sharing.items()}


def function_name(identifier: str) -> str:
    """The name of a function: of its ARN, or of its name with a version or an alias (`name:live`)."""
    if identifier.startswith("arn:"):
        identifier = identifier.partition(":function:")[2]
    return identifier.partition(":")[0]


def _text(path: Path) -> str:
    """Read a file, but neither a device without an end nor a pipe that nobody writes to."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ResourceMapError(f"resource map {path}: not a file; name the JSON file of the output")
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ResourceMapError(
            f"resource map {path}: larger than {_MOST_BYTES:,} bytes; name the JSON file of the output"
        )
    return content.decode("utf-8")


def _decoded(text: str, origin: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ResourceMapError(f"{origin}: not JSON ({error})") from error
    except RecursionError as error:
        raise ResourceMapError(f"{origin}: nested too deeply; must be the output event_harness") from error


class _Checker(Fields):
    """Walks through the value."""

    def resource_map(self, value: object) -> ResourceMap:
        """Read the whole map."""
        top = self.mapping(value, "the resource map")
        schema = top.get("schema")
        if schema != SCHEMA:
            hint = (
                "take the `value` of the output alone"
                if "event_harness" in top or "value" in top
                else ("use the module and the package of the same release")
            )
            raise self.error("schema", f"is {schema!r}, this harness reads {SCHEMA}; {hint}")
        self.known(
            top, ("schema", "region", "results", "listener", "sources", "components"), "the resource map"
        )
        components = tuple(
            self.component(item, f"components[{n}]")
            for n, item in enumerate(self.sequence(top, "components"))
        )
        self.distinct([component.name for component in components])
        sources = self.mapping(top.get("sources"), "sources")
        return ResourceMap(
            region=self.text(top, "region"),
            results=self.results(top.get("results")),
            listener=self.listener(top.get("listener")),
            sources={name: self.source(name, item) for name, item in sources.items()},
            components=components,
            origin=self.origin,
        )

    def results(self, value: object) -> Results:
        """Read the results table."""
        item = self.mapping(value, "results")
        self.known(item, ("table", "index", "overflow_bucket", "shards"), "results")
        shards = item.get("shards", 1)
        if isinstance(shards, bool) or not isinstance(shards, int) or not 1 <= shards <= MOST_SHARDS:
            raise self.error(
                "results.shards", f"is {shards!r}; must be a whole number from 1 to {MOST_SHARDS}"
            )
        return Results(
            **{name: self.text(item, name, "results.") for name in ("table", "index", "overflow_bucket")},
            shards=shards,
        )

    def listener(self, value: object) -> Function:
        """Read the listener's function."""
        item = self.mapping(value, "listener")
        self.known(item, COMPONENT_FIELDS["lambda"], "listener")
        function = self.text(item, "function", "listener.")
        return Function(
            function=function,
            log_group=self.optional(item, "log_group", "listener.") or f"/aws/lambda/{function}",
            failure_queue_url=self.optional(item, "failure_queue_url", "listener."),
        )

    def source(self, name: str, value: object) -> Source:
        """Read a source."""
        where = f"sources.{name}"
        item = self.mapping(value, where)
        self.known(item, ("type", "correlation"), where)
        type_ = self.choice(item, "type", SOURCE_TYPES, f"{where}.")
        correlation = self.mapping(item.get("correlation"), f"{where}.correlation")
        self.known(correlation, ("from", "at"), f"{where}.correlation")
        source = Source(
            name=name,
            type=type_,
            correlation=self.choice(correlation, "from", CORRELATIONS, f"{where}.correlation."),
            at=self.optional(correlation, "at", f"{where}.correlation."),
        )
        if source.correlation == "body" and source.at:
            try:
                jmespath.compile(source.at)
            except JMESPathError as error:
                problem = f"isn't a JMESPath expression: {source.at!r} ({str(error).splitlines()[0]})"
                raise self.error(f"{where}.correlation.at", problem) from error
        return source

    def component(self, value: object, where: str) -> Component:
        """Read a component."""
        item = self.mapping(value, where)
        type_ = self.choice(item, "type", tuple(sorted(COMPONENT_FIELDS)), f"{where}.")
        self.known(item, _ANY_COMPONENT, where)
        # Terraform sets the fields of the other types to null. A value there is a mistake.
        self.known(
            {key: item[key] for key in item if item[key] is not None},
            ("name", "type", *COMPONENT_FIELDS[type_]),
            where,
        )
        needed, *others = COMPONENT_FIELDS[type_]
        fields: dict[str, str | None] = {needed: self.text(item, needed, f"{where}.")}
        fields |= {name: self.optional(item, name, f"{where}.") for name in others}
        if type_ == "lambda" and not fields["log_group"]:
            fields["log_group"] = f"/aws/lambda/{fields['function']}"
        return Component(name=self.text(item, "name", f"{where}."), type=type_, **fields)

    def distinct(self, names: list[str]) -> None:
        """Check that no name is there twice."""
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise self.error("components", f"has two named {twice!r}; give each another name")
