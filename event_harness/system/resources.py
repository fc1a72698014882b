"""The resource map: names the places that the harness reads and sends to.

It comes from the Terraform output `event_harness`, a JSON file or an SSM parameter. It is checked here.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.errors import NoTestResourcesError, ResourceMapError
from event_harness.machine.boundary import explained
from event_harness.system.graph.model import LISTENER, Graph
from event_harness.system.graph.walks import entries, failure_queues
from event_harness.system.map_checks import MOST_SHARDS, SCHEMA, MapChecker
from event_harness.system.parts import (
    COMPONENT_FIELDS,
    CORRELATIONS,
    SOURCE_TYPES,
    Component,
    Function,
    Results,
    Source,
    function_name,
)

__all__ = [
    "COMPONENT_FIELDS",
    "CORRELATIONS",
    "MOST_SHARDS",
    "SCHEMA",
    "SOURCE_TYPES",
    "Component",
    "Function",
    "ResourceMap",
    "Results",
    "Source",
    "function_name",
]

_MOST_BYTES = 1024 * 1024  # of a file; a map of 100 components takes 30 KB


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
            NoTestResourcesError: The value is null: the system is deployed without its test resources.
            ResourceMapError: The value isn't a resource map. The message names the field.
        """
        if value is None:
            raise NoTestResourcesError(
                f"{origin} is null: the system is deployed without its test resources;"
                " set deploy_test_resources = true and apply again"
            )
        return cls(**MapChecker(origin).resource_map(value))

    @classmethod
    @explained()
    def from_file(cls, path: Path | str) -> "ResourceMap":
        """Read the map from a JSON file, as `terraform output -json event_harness > file` writes it.

        Raises:
            NoTestResourcesError: The file says null.
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
            NoTestResourcesError: The parameter says null.
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

    def functions(self) -> dict[str, str]:
        """The name of each component that is a function -> the function's own name; without the listener."""
        return {one.name: function_name(str(one.function)) for one in self.components if one.type == "lambda"}

    def component_named(self, name: str) -> str:
        """The component of this name, or whose function or queue has this name; any other name as it is."""
        known = name == LISTENER or any(one.name == name for one in self.components)
        return name if known else self.owners.get(name, name)

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
        """Name of each function and queue, and each known ARN -> name of its component (or `event_listener`).

        Messages name functions and queues by ARN; the last part of it is the name.
        """
        nodes = self.graph.nodes.values() if self.graph else ()
        arns = {node.arn: node.name for node in nodes if node.arn}
        functions = {function_name(s.function): s.name for s in self.components if s.function}
        queues = {str(s.queue_url).rpartition("/")[2]: s.name for s in self.components if s.queue_url}
        return {function_name(self.listener.function): LISTENER, **arns, **queues, **functions}

    @property
    def failure_queues(self) -> dict[str, str]:
        """URL of each failure queue -> the components that fail into it: `price`, or `price or ship`.

        They are the dead-letter queues and on-failure destinations of the components, and of the rules,
        subscriptions, pipes and mappings between them. `event_listener` is the listener.
        """
        sharing: dict[str, list[str]] = {}
        for component in self.components:
            if component.failure_queue_url:
                sharing.setdefault(component.failure_queue_url, []).append(component.name)
        for url, found in (failure_queues(self.graph) if self.graph else {}).items():
            names = sharing.setdefault(url, [])
            names += [node.name for node in found if node.name not in names]
        if self.listener.failure_queue_url:
            sharing.setdefault(self.listener.failure_queue_url, [LISTENER])
        return {url: " or ".join(names) for url, names in sharing.items()}


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
