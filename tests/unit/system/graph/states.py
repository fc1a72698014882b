"""Writes Terraform states: small ones, of resources with the attributes that a provider would give them."""

import json

from event_harness.system.graph.build import build
from event_harness.system.graph.state import parse

REGION, ACCOUNT = "eu-west-1", "111122223333"
LISTENER_MODULE = "module.event_listener[0]"


def arn(service, resource, region=REGION):
    account = "" if service == "s3" else ACCOUNT
    return f"arn:aws:{service}:{'' if service == 's3' else region}:{account}:{resource}"


def resource(address, **values):
    """A resource of an address such as `module.a.aws_sqs_queue.inbox["eu"]`."""
    managed = ".data." not in f".{address}"
    local = address.split(".")
    index = None
    if address.endswith("]"):
        index = json.loads(address[address.rindex("[") + 1 : -1])
        local = address[: address.rindex("[")].split(".")
    module = ".".join(local[: -2 if managed else -3])
    return {
        "address": address,
        "module": module,
        "mode": "managed" if managed else "data",
        "type": local[-2],
        "name": local[-1],
        "index": index,
        "values": values,
    }


def queue(label, name=None, **values):
    name = name or label.rpartition(".")[2]
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
    return resource(_at("aws_sqs_queue", label), name=name, id=url, url=url, arn=arn("sqs", name), **values)


def topic(label, name=None, **values):
    name = name or label.rpartition(".")[2]
    return resource(
        _at("aws_sns_topic", label), name=name, id=arn("sns", name), arn=arn("sns", name), **values
    )


def bucket(label, name=None, **values):
    name = name or label.rpartition(".")[2]
    return resource(_at("aws_s3_bucket", label), bucket=name, id=name, arn=arn("s3", name), **values)


def table(label, name=None, **values):
    name = name or label.rpartition(".")[2]
    own = arn("dynamodb", f"table/{name}")
    return resource(
        _at("aws_dynamodb_table", label),
        name=name,
        id=name,
        arn=own,
        stream_arn=f"{own}/stream/2026-01-01T00:00:00.000",
        **values,
    )


def stream(label, name=None, **values):
    name = name or label.rpartition(".")[2]
    own = arn("kinesis", f"stream/{name}")
    return resource(_at("aws_kinesis_stream", label), name=name, id=own, arn=own, **values)


def bus(label, name=None, **values):
    name = name or label.rpartition(".")[2]
    own = arn("events", f"event-bus/{name}")
    return resource(_at("aws_cloudwatch_event_bus", label), name=name, id=name, arn=own, **values)


def function(label, name=None, *, role="role", environment=None, **values):
    name = name or label.rpartition(".")[2]
    own = arn("lambda", f"function:{name}")
    return resource(
        _at("aws_lambda_function", label),
        function_name=name,
        id=name,
        arn=own,
        qualified_arn=f"{own}:7",
        invoke_arn=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{own}/invocations",
        role=arn("iam", f"role/{role}", ""),
        environment=[{"variables": environment or {}}],
        **values,
    )


def role(name, *statements, label=None):
    """A role with one policy, of pairs of actions and resources."""
    policy = {"Statement": [_statement(*one) for one in statements]}
    return [
        resource(f"aws_iam_role.{label or name}", name=name, id=name, arn=arn("iam", f"role/{name}", "")),
        resource(f"aws_iam_role_policy.{label or name}", role=name, policy=json.dumps(policy)),
    ]


def _statement(actions, resources, effect="Allow"):
    return {"Effect": effect, "Action": actions, "Resource": resources}


def listener(*sources, environment=None):
    """The event listener with the mappings of its sources, which have the names `0`, `1` and so on."""
    own = arn("lambda", "function:acme-listening")
    parts = [
        resource(
            f"{LISTENER_MODULE}.module.function.aws_lambda_function.this",
            function_name="acme-listening",
            id="acme-listening",
            arn=own,
            role=arn("iam", "role/acme-listening", ""),
            environment=[{"variables": environment or {}}],
        ),
        resource(
            f"{LISTENER_MODULE}.aws_dynamodb_table.results", name="acme-results", arn="arn:aws:dynamodb:x:1:y"
        ),
        resource(
            f"{LISTENER_MODULE}.module.overflow.aws_s3_bucket.this",
            bucket="acme-large",
            arn=arn("s3", "acme-large"),
        ),
        resource(
            f"{LISTENER_MODULE}.module.function.aws_sqs_queue.failures",
            name="acme-failures",
            url="https://sqs/1/acme-failures",
            arn=arn("sqs", "acme-failures"),
        ),
    ]
    parts += [
        resource(
            f'{LISTENER_MODULE}.aws_lambda_event_source_mapping.queue["{number}"]',
            event_source_arn=source,
            function_name=own,
            function_arn=own,
            batch_size=1,
        )
        for number, source in enumerate(sources)
    ]
    return parts


MAP = {
    "schema": 1,
    "region": REGION,
    "results": {"table": "acme-results", "index": "by_arrival", "overflow_bucket": "acme-large"},
    "listener": {
        "function": "acme-listening",
        "log_group": "/aws/lambda/acme-listening",
        "failure_queue_url": "https://sqs/1/acme-failures",
    },
    "sources": {},
    "components": [],
}


def _at(type_, label):
    """The address of a label, which may name modules and an index: `module.a.inbox["eu"]`."""
    module, dot, last = label.rpartition(".") if "[" not in label else _split(label)
    return f"{module}{dot}{type_}.{last}"


def _split(label):
    at = label.rindex(".", 0, label.rindex("[")) if "." in label[: label.rindex("[")] else -1
    return (label[:at], ".", label[at + 1 :]) if at >= 0 else ("", "", label)


def as_file(resources, outputs=None):
    """The text of a local state."""
    written = []
    for one in resources:
        instance = {"attributes": one["values"]} | (
            {} if one["index"] is None else {"index_key": one["index"]}
        )
        block = {key: one[key] for key in ("mode", "type", "name")} | {"instances": [instance]}
        written.append(block | ({"module": one["module"]} if one["module"] else {}))
    told = {name: {"value": value, "type": "dynamic"} for name, value in (outputs or {}).items()}
    return json.dumps({"version": 4, "serial": 1, "resources": written, "outputs": told})


def as_show(resources, outputs=None):
    """The same as `terraform show -json` writes it."""
    modules = {}
    for one in resources:
        shown = {key: one[key] for key in ("address", "mode", "type", "name", "values")}
        shown |= {} if one["index"] is None else {"index": one["index"]}
        modules.setdefault(one["module"], []).append(shown)
    children = [{"address": name, "resources": found} for name, found in modules.items() if name]
    root = {"resources": modules.get("", []), "child_modules": children}
    told = {name: {"value": value, "sensitive": False} for name, value in (outputs or {}).items()}
    return json.dumps({"format_version": "1.0", "values": {"outputs": told, "root_module": root}})


def flat(parts):
    for part in parts:
        if isinstance(part, list):
            yield from part
        else:
            yield part


def graph_of(*parts, outputs=None):
    """The graph of resources, and of lists of them."""
    return build(parse(as_file(list(flat(parts)), outputs), "the state"))


def drawn(graph):
    """The edges in words, by names: `inbox -> confirm: event source mapping`."""
    return {
        f"{graph.nodes[edge.source].name} -> {graph.nodes[edge.target].name}: {edge.kind}"
        + ("" if edge.known == "declared" else f" ({edge.known})")
        for edge in graph.edges
    }
