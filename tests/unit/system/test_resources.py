import copy
import json
import os

import pytest
from listener_fakes import MAP, Target, client_error

from event_harness.errors import NoTestResourcesError, ResourceMapError
from event_harness.system.resources import ResourceMap, function_name


def read(value=MAP):
    return ResourceMap.from_mapping(value, "terraform output event_harness")


def changed(path, value):
    """The good map with one field set, or taken away (value ...)."""
    result = copy.deepcopy(MAP)
    inner = result
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return result


def test_every_part_is_read():
    found = read()
    assert found.region == "eu-west-1"
    assert (found.results.table, found.results.index, found.results.overflow_bucket) == (
        "results",
        "by_arrival",
        "overflow",
    )
    assert found.results.shards == 1
    assert found.listener.failure_queue_url == "queue/listener"
    assert found.sources["destination"].correlation == "key"
    assert [component.name for component in found.components] == ["source", "processor", "destination"]
    assert found.component().identifier == "source-bucket"
    assert found.component("processor").log_group == "/processor"


@pytest.mark.parametrize(
    ("fields", "identifier"),
    [
        ({"type": "http", "url": "https://x.test/prod", "log_group": "/access"}, "https://x.test/prod"),
        ({"type": "stepfunctions", "state_machine_arn": "arn:x", "log_group": None}, "arn:x"),
        ({"type": "pipe", "pipe": "changes"}, "changes"),
        ({"type": "other", "resource": "aws_mq_broker.this"}, "aws_mq_broker.this"),
    ],
)
def test_every_type_of_component_is_read_with_its_identifier(fields, identifier):
    component = read(changed(("components", 0), {"name": "source"} | fields)).component("source")
    assert (component.type, component.identifier) == (fields["type"], identifier)
    assert component.log_group == fields.get("log_group")


def test_failure_queues_are_named_by_who_fails_into_them():
    assert read().failure_queues == {"queue/processor": "processor", "queue/listener": "event_listener"}


def test_a_log_group_that_is_not_given_is_the_one_that_lambda_takes():
    found = read(changed(("components", 1, "log_group"), None))
    assert found.component("processor").log_group == "/aws/lambda/processor"
    assert read(changed(("listener", "log_group"), ...)).listener.log_group == "/aws/lambda/listener"


def test_null_means_that_the_gate_is_shut_and_names_the_remedy():
    with pytest.raises(
        NoTestResourcesError, match=r"event_harness is null.*set deploy_test_resources = true"
    ):
        read(None)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("schema",), 2, "schema is 2, this harness reads 1; use the module and the package of the same"),
        (("schema",), ..., "schema is None"),
        (("region",), "", "region must be a text with at least one character, is ''"),
        (("results",), None, "results must be an object, is missing or null"),
        (
            ("results", "table"),
            ...,
            "results.table must be a text with at least one character, is missing or null",
        ),
        (
            ("results", "tabel"),
            "x",
            "results has an unknown field 'tabel'; it may have: index, overflow_buck",
        ),
        (("listener", "function"), 7, "listener.function must be a text with at least one character, is 7"),
        (("sources",), [], "sources must be an object, is a list"),
        (
            ("sources", "destination", "type"),
            "kafka",
            "sources.destination.type is 'kafka'; must be one of: dyn",
        ),
        (("sources", "destination", "type"), "lambda", "sources.destination.type is 'lambda'"),
        (
            ("sources", "destination", "correlation", "from"),
            "x",
            "correlation.from is 'x'; must be one of: key",
        ),
        (("sources", "destination", "correlation"), None, "correlation must be an object"),
        (
            ("sources", "destination", "correlation"),
            {"from": "body", "at": "meta..id["},
            "sources.destination.correlation.at isn't a JMESPath expression: 'meta..id[' (",
        ),
        (("components",), {}, "components must be a list, is a dict"),
        (("components", 0), "s3", "components[0] must be an object, is 's3'"),
        (
            ("components", 0, "type"),
            "ftp",
            "components[0].type is 'ftp'; must be one of: dynamodb, eventbridge",
        ),
        (("components", 0, "bucket"), None, "components[0].bucket must be a text"),
        (("components", 0, "bukket"), "x", "components[0] has an unknown field 'bukket'"),
        (
            ("components", 0, "queue_url"),
            "q",
            "components[0] has an unknown field 'queue_url'; it may have: bucket",
        ),
        (("components", 0, "name"), "destination", "components has two named 'destination'"),
        (("extra",), 1, "the resource map has an unknown field 'extra'"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_origin(path, value, complaint):
    with pytest.raises(ResourceMapError) as caught:
        read(changed(path, value))
    message = str(caught.value)
    assert message.startswith("terraform output event_harness: ")
    assert complaint in message
    assert "\n" not in message


def test_the_whole_of_terraform_output_is_told_from_the_value():
    with pytest.raises(ResourceMapError, match="take the `value` of the output alone"):
        read({"event_harness": {"value": MAP}})


def test_an_unknown_component_is_answered_with_those_there_are():
    with pytest.raises(
        ResourceMapError, match="no component 'sauce'; there are: source, processor, destination"
    ):
        read().component("sauce")


def test_a_map_without_components_says_how_to_get_some():
    with pytest.raises(ResourceMapError, match="has no components; list them"):
        read(changed(("components",), [])).component()


def test_a_file_is_read(tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps(MAP))
    assert ResourceMap.from_file(path) == read()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file or directory; write it with `terraform output -json event_harness`"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"{", "not JSON"),
        (b"[]", "the resource map must be an object"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, content, complaint):
    path = tmp_path / "map.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ResourceMapError) as caught:
        ResourceMap.from_file(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


def test_a_file_of_null_is_a_shut_gate(tmp_path):
    path = tmp_path / "map.json"
    path.write_text("null")
    with pytest.raises(NoTestResourcesError, match=r"map\.json is null"):
        ResourceMap.from_file(path)


class Parameters:
    def __init__(self, value):
        self.value = value

    def get_parameter(self, *, Name, WithDecryption):  # noqa: N803
        assert WithDecryption
        if self.value is None:
            raise client_error("ParameterNotFound", "no such parameter")
        return {"Parameter": {"Name": Name, "Value": self.value}}


def test_an_ssm_parameter_is_read():
    target = Target(ssm=Parameters(json.dumps(MAP)))
    assert ResourceMap.from_ssm("/harness", target) == read()


def test_a_missing_ssm_parameter_is_named_with_what_it_takes():
    with pytest.raises(
        ResourceMapError, match=r"SSM parameter /harness: ParameterNotFound.*ssm:GetParameter"
    ):
        ResourceMap.from_ssm("/harness", Target(ssm=Parameters(None)))


def test_file_without_an_end_is_refused():
    with pytest.raises(ResourceMapError, match=r"^resource map /dev/zero: not a file; name the JSON file"):
        ResourceMap.from_file("/dev/zero")


def test_pipe_that_nobody_writes_to_is_refused(tmp_path):
    os.mkfifo(tmp_path / "map.json")
    with pytest.raises(ResourceMapError, match=r"map\.json: not a file; name the JSON file of the output$"):
        ResourceMap.from_file(tmp_path / "map.json")


def test_huge_file_is_refused(tmp_path):
    (tmp_path / "map.json").write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(ResourceMapError, match="larger than 1,048,576 bytes"):
        ResourceMap.from_file(tmp_path / "map.json")


def test_deep_json_is_refused(tmp_path):
    (tmp_path / "map.json").write_text("[" * 200_000)
    with pytest.raises(ResourceMapError, match=r"map\.json: nested too deeply; must be the output"):
        ResourceMap.from_file(tmp_path / "map.json")


@pytest.mark.parametrize(
    "identifier",
    [
        "price",
        "price:live",
        "arn:aws:lambda:eu-west-1:1:function:price",
        "arn:aws:lambda:e:1:function:price:7",
    ],
)
def test_a_function_is_known_by_its_name_however_it_is_named(identifier):
    assert function_name(identifier) == "price"


def test_the_components_that_share_a_failure_queue_are_all_named():
    shared = [
        {"name": "audit", "type": "lambda", "function": "audit", "failure_queue_url": "queue/processor"},
        {"name": "ship", "type": "lambda", "function": "ship", "failure_queue_url": "queue/listener"},
    ]
    found = ResourceMap.from_mapping(MAP | {"components": [*MAP["components"], *shared]}, "the map")
    assert found.failure_queues == {"queue/processor": "processor or audit", "queue/listener": "ship"}


def test_number_of_shards_is_read():
    assert read(changed(("results", "shards"), 8)).results.shards == 8


@pytest.mark.parametrize("shards", [0, 101, True, 1.5, "8", None])
def test_wrong_number_of_shards_is_named(shards):
    with pytest.raises(ResourceMapError, match=r"results.shards is .*; must be a whole number from 1 to 100"):
        read(changed(("results", "shards"), shards))


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("processor", "processor"),
        ("app-d1-processor", "processor"),
        ("listener", "event_listener"),
        ("event_listener", "event_listener"),
        ("source", "source"),
        ("nobody", "nobody"),
    ],
)
def test_component_is_found_by_its_name_or_that_of_its_function(name, component):
    arn = "arn:aws:lambda:eu-west-1:1:function:app-d1-processor:live"
    assert read(changed(("components", 1, "function"), arn)).component_named(name) == component
