"""Checks a decoded resource map, field by field; each error names the origin of the map and the field."""

from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from event_harness.system.parts import (
    COMPONENT_FIELDS,
    CORRELATIONS,
    SOURCE_TYPES,
    Component,
    Function,
    Results,
    Source,
)
from event_harness.system.strict_json import Fields

SCHEMA = 1
MOST_SHARDS = 100
_ANY_COMPONENT = {"name", "type"}.union(*COMPONENT_FIELDS.values())


class MapChecker(Fields):
    """Walks through the value."""

    def resource_map(self, value: object) -> dict[str, Any]:
        """Read the whole map; returns the fields of a `ResourceMap`."""
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
        return {
            "region": self.text(top, "region"),
            "results": self.results(top.get("results")),
            "listener": self.listener(top.get("listener")),
            "sources": {name: self.source(name, item) for name, item in sources.items()},
            "components": components,
            "origin": self.origin,
        }

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
