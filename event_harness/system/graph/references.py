"""Finds the resource that a text refers to: by ARN, id, URL or name, with or without an alias."""

import re
from collections.abc import Iterable, Iterator, Mapping

from event_harness.system.graph.state import Resource

ARN = re.compile(r"arn:[a-z0-9-]+:[a-z0-9-]+:[^\s\"'{}|,<>\[\]]*")
_FUNCTION = re.compile(r"(arn:[a-z0-9-]+:lambda:[a-z0-9-]*:[0-9a-zA-Z]*:function:[A-Za-z0-9_-]+)")
_STREAM = re.compile(
    r"(arn:[a-z0-9-]+:dynamodb:[a-z0-9-]*:[0-9a-zA-Z]*:table/[A-Za-z0-9_.-]+)/(?:stream|index)/"
)
_QUEUE = re.compile(r"https?://[^/\s\"']+/([0-9a-zA-Z]+/[A-Za-z0-9_.-]+)")

# Types whose `arn` or `id` is that of the resource which they belong to.
_OF_OTHERS = (
    *("_attachment", "_config", "_configuration", "_filter", "_mapping", "_notification", "_object"),
    *("_permission", "_policy", "_target", "_versioning"),
)
# What identifies a resource, besides its ARN and its id: the attributes by which others name it.
NAMES = {
    "aws_api_gateway_rest_api": ("execution_arn",),
    "aws_apigatewayv2_api": ("execution_arn",),
    "aws_appsync_graphql_api": (),
    "aws_cloudwatch_event_bus": ("name",),
    "aws_cloudwatch_log_group": ("name",),
    "aws_dynamodb_table": ("name", "stream_arn"),
    "aws_ecs_task_definition": ("arn_without_revision", "family"),
    "aws_kinesis_firehose_delivery_stream": ("name",),
    "aws_kinesis_stream": ("name",),
    "aws_lambda_function": ("function_name", "invoke_arn", "qualified_arn"),
    "aws_lambda_alias": ("invoke_arn",),
    "aws_pipes_pipe": ("name",),
    "aws_s3_bucket": ("bucket", "bucket_domain_name", "bucket_regional_domain_name"),
    "aws_sfn_state_machine": ("name", "state_machine_version_arn"),
    "aws_sns_topic": ("name",),
    "aws_sqs_queue": ("name", "url"),
}


def canonical(text: str) -> str:
    """An ARN without what comes after the resource: an alias, a version, a stream's label, a key."""
    if (found := _FUNCTION.search(text)) and text.startswith("arn:"):
        return found[1]
    if found := _STREAM.match(text):
        return found[1]
    if text.startswith("arn:") and ":s3:::" in text:
        return text.partition("/")[0]
    if text.startswith("arn:") and (":states:" in text) and text.count(":") > 6 and ":stateMachine:" in text:
        return ":".join(text.split(":")[:7])
    if found := _QUEUE.fullmatch(text):
        return f"queue:{found[1]}"
    return text.removesuffix(":*")


class References:
    """The resources of a state, by every text that refers to them.

    Args:
        resources: All resources. Managed ones count before data sources.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._unique: dict[str, Resource] = {}
        self._named: dict[str, list[Resource]] = {}
        for one in sorted(resources, key=lambda item: not item.managed):
            for key in _keys(one):
                if key.startswith(("arn:", "queue:")):
                    self._unique.setdefault(key, one)
                elif one not in self._named.setdefault(key, []):
                    self._named[key].append(one)

    def find(self, text: object, *types: str) -> Resource | None:
        """The resource that a text refers to.

        Args:
            text: An ARN, a URL, an id or a name.
            types: The resource types that it may have, if the text is a name; the first found counts.
        """
        if not isinstance(text, str) or not text:
            return None
        if found := self._unique.get(text) or self._unique.get(canonical(text)):
            return found
        named = self._named.get(text, [])
        if not types:
            return named[0] if len(named) == 1 else None
        return next((one for kind in types for one in named if one.type == kind), None)

    def named(self, text: str) -> list[Resource]:
        """All resources that a text refers to: one by an ARN or URL, several by a name that they share."""
        found = self.find(text)
        return [found] if found else list(self._named.get(text, []))

    def within(self, text: str) -> Iterator[Resource]:
        """The resources whose ARNs or queue URLs are somewhere in a text, such as a template."""
        for match in [*ARN.findall(text), *(found[0] for found in _QUEUE.finditer(text))]:
            if found := self.find(match) or self.find(match.rstrip("/:*.;)")):
                yield found


def _keys(one: Resource) -> Iterator[str]:
    if one.type.endswith(_OF_OTHERS) and one.type != "aws_iam_policy":
        return
    texts = [one.text("arn")]
    if one.type in NAMES:
        texts += [one.text("id"), *(one.text(name) for name in NAMES[one.type])]
    for text in filter(None, texts):
        yield text
        if (short := canonical(text)) != text:
            yield short


def owned_by(resource: Resource, modules: Iterable[str]) -> bool:
    """Whether a resource lies in one of these modules, or in a module below."""
    return any(resource.module == module or resource.module.startswith(f"{module}.") for module in modules)


def arn_parts(arn: str) -> Mapping[str, str]:
    """Service, region, account and resource of an ARN; empty texts for anything else."""
    parts = arn.split(":", 5) if arn.startswith("arn:") else []
    names = ("arn", "partition", "service", "region", "account", "resource")
    return dict(zip(names, [*parts, *[""] * (6 - len(parts))], strict=True))
