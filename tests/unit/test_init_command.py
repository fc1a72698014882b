"""`init` writes what the first test needs, shows it before, and touches nothing that is there."""

import ast
import io
import json
import subprocess
import sys

import pytest

from event_harness import cli
from event_harness.commands import init_questions, new_files, survey
from event_harness.commands.new_files import Id
from event_harness.commands.survey import Place
from event_harness.errors import DeploymentError, SettingError
from event_harness.system.graph.build import build
from event_harness.system.graph.model import Edge, Graph, Node
from event_harness.system.graph.state import parse
from event_harness.terraform import hcl
from event_harness.terraform.configuration import Configuration

MAIN = """
locals {
  name = "shop-${terraform.workspace}"
}
resource "aws_sqs_queue" "inbox" {
  name = "${local.name}-inbox"
}
resource "aws_sqs_queue" "dead" {
  name = "${local.name}-dead"
}
resource "aws_cloudwatch_event_bus" "shop" {
  name = "${local.name}-shop"
}
resource "aws_dynamodb_table" "seen" {
  name = "${local.name}-seen"
}
resource "aws_s3_bucket" "several" {
  count = 2
}
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("EVENT_HARNESS_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.tf").write_text(MAIN)
    return tmp_path


@pytest.fixture
def answered(monkeypatch, capsys):
    """Runs `init` with these answers, one for each question; returns its exit code and what it printed."""

    def run(*lines, arguments=("--no-deploy",)):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        code = cli.main(["init", *arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


ANSWERS = (
    "shop",
    '{"source": ["orders"]}',
    "order.id",
    "inbox",
    "attribute:trace",
    '{"lines": []}',
    "20",
    "y",
)


def written(project):
    return {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()} - {"main.tf"}


FILES = {
    "event_harness.tf",
    "pytest.ini",
    "tests/conftest.py",
    "tests/test_event_harness.py",
    ".gitignore",
    ".github/workflows/event-harness.yml",
}


def test_answers_become_the_files_of_the_guide(project, answered):
    code, said = answered(*ANSWERS)
    assert code == 0, said
    assert written(project) == FILES
    content = hcl.read(project / "event_harness.tf")
    module = content["module"]["event_listener"]
    assert module["name"] == "local.name"
    assert module["sources"]["shop"] == {
        "type": "eventbridge",
        "bus": "aws_cloudwatch_event_bus.shop.name",
        "pattern": 'jsonencode({ source = ["orders"] })',
        "correlation": {"from": "body", "at": "order.id"},
    }
    found = Configuration.read(project)
    assert "deploy_test_resources" in found.variables
    assert "event_harness" in found.outputs
    conftest = (project / "tests/conftest.py").read_text()
    assert 'return {"inbox": {"attribute": "trace"}}\n' in conftest
    assert 'return {"lines": []}\n' in conftest
    compile(conftest, "conftest", "exec")
    assert "harness_sla = 20" in (project / "pytest.ini").read_text()
    compile((project / "tests/test_event_harness.py").read_text(), "test", "exec")


def test_every_file_is_shown_before_it_is_written(answered):
    _, said = answered(*ANSWERS)
    for name in FILES:
        assert said.index(f"+++ {name}") < said.index("write these 6 files?")


@pytest.mark.parametrize("refusal", ["n", "no", "what"])
def test_nothing_is_written_if_the_user_refuses(project, answered, refusal):
    code, said = answered(*ANSWERS[:-1], refusal)
    assert (code, written(project)) == (1, set())
    assert "nothing was written" in said


def test_directory_that_can_not_be_made_leaves_no_file_behind(project, answered):
    (project / "tests").write_text("")
    code, said = answered(*ANSWERS)
    assert code == 1
    assert said.splitlines()[-1].startswith(f"event-harness: {project / 'tests'}: ")
    assert written(project) == {"tests"}


def test_dry_run_only_shows(project, answered):
    code, said = answered(arguments=["--no-deploy", "--yes", "--dry-run"])
    assert (code, written(project)) == (0, set())
    assert "+++ event_harness.tf" in said


@pytest.mark.parametrize("name", [*sorted(FILES - {"tests/conftest.py"}), "setup.cfg"])
def test_what_is_there_stays_as_it_is(project, answered, name):
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "[tool:pytest]\n" if name == "setup.cfg" else "# mine\n"
    path.write_text(text)
    code, said = answered(*ANSWERS)
    assert code == 0
    assert path.read_text() == text
    assert f"{name} is there already and stays as it is" in said


def test_second_run_writes_nothing(project, answered):
    answered(*ANSWERS)
    before = {name: (project / name).read_text() for name in written(project)}
    code, said = answered(*ANSWERS)
    assert code == 0
    assert "nothing is to be written" in said
    assert {name: (project / name).read_text() for name in written(project)} == before


def test_ini_file_lets_pytest_find_the_tests_that_were_there(project, answered):
    (project / "billing").mkdir()
    (project / "billing" / "test_bill.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n")
    assert answered(*ANSWERS)[0] == 0
    assert "testpaths" not in (project / "pytest.ini").read_text()


def test_root_in_a_directory_of_its_own_is_named_in_the_ini_file(project, answered):
    (project / "infra").mkdir()
    (project / "main.tf").rename(project / "infra/main.tf")
    code, _ = answered(*ANSWERS, arguments=["--no-deploy", "--root", "infra"])
    assert code == 0
    assert "harness_root = infra\n" in (project / "pytest.ini").read_text()
    assert (project / "infra/event_harness.tf").exists()


def test_root_below_is_asked_for_and_modules_are_none(project, answered):
    for name in ("infra/live", "infra/modules/queue", ".terraform/modules/x", ".cache/root", ".old"):
        (project / name).mkdir(parents=True)
        (project / name / "main.tf").write_text(MAIN)
    (project / "main.tf").unlink()
    code, said = answered("infra/live", *ANSWERS)
    assert code == 0, said
    assert "which directory is the Terraform root? one of: infra/live [infra/live]" in said
    assert "harness_root = infra/live\n" in (project / "pytest.ini").read_text()
    assert (project / "infra/live/event_harness.tf").exists()


def test_fixtures_go_beside_a_conftest_of_the_users_own_where_pytest_looks_for_tests(project, answered):
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["checks"]\n')
    (project / "checks").mkdir()
    (project / "checks/conftest.py").write_text("# mine\n")
    code, _ = answered(*ANSWERS)
    assert code == 0
    assert (project / "checks/conftest.py").read_text() == "# mine\n"
    assert "harness_readiness_probe" in (project / "checks/events/conftest.py").read_text()
    assert (project / "checks/events/test_event_harness.py").exists()
    before = written(project)
    _, said = answered(*ANSWERS)
    assert "nothing is to be written" in said
    assert written(project) == before


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("pytest.ini", "[pytest]\n", "harness_root = infra"),
        ("setup.cfg", "[tool:pytest]\n", "harness_root = infra"),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", 'harness_root = "infra"'),
    ],
)
def test_settings_that_an_ini_file_of_the_users_own_lacks_are_named(project, answered, name, text, line):
    sla = 'harness_sla = "20"' if name == "pyproject.toml" else "harness_sla = 20"
    (project / "infra").mkdir()
    (project / "main.tf").rename(project / "infra/main.tf")
    (project / name).write_text(text)
    _, said = answered(*ANSWERS, arguments=["--no-deploy", "--root", "infra"])
    assert (project / name).read_text() == text
    lacking = f"`{line}` and `{sla}` to the settings of pytest in {name}"
    assert said.splitlines()[-1] == f"now add {lacking}, then run: pytest"
    (project / name).write_text(f"{text}{line}\n{sla}\n")
    (project / "tests/conftest.py").unlink()
    _, said = answered(*ANSWERS, arguments=["--no-deploy", "--root", "infra"])
    assert said.splitlines()[-1] == "now run: pytest"


def test_module_of_a_checkout_is_a_part_of_its_package(project, answered, tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "modules/event_listener").mkdir(parents=True)
    answered(*ANSWERS, arguments=["--no-deploy", "--source", str(checkout / "modules/event_listener")])
    module = hcl.read(project / "event_harness.tf")["module"]["event_listener"]
    assert module["source"] == f"{checkout}//modules/event_listener"


def test_switch_that_is_declared_is_not_declared_again(project, answered):
    (project / "variables.tf").write_text('variable "deploy_test_resources" {\n  default = false\n}\n')
    answered(*ANSWERS)
    assert "variable" not in (project / "event_harness.tf").read_text()


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (["nowhere"], "'nowhere' is none of: shop (eventbridge), dead (sqs), inbox (sqs)"),
        (["shop", "[]"], "'[]' is no JSON object (pattern)"),
        (["shop", "{"], "'{' is no JSON: "),
        ([*ANSWERS[:6], "soon"], "'soon' is no number of seconds"),
        (["shop"], "nobody answers"),
    ],
)
def test_wrong_answer_is_one_line(project, answered, answers, error):
    code, said = answered(*answers)
    assert code == 1
    assert error in said.splitlines()[-1]
    assert written(project) == set()


@pytest.mark.parametrize(
    ("patterns", "name"),
    [
        ("*_test.py", "event_harness_test.py"),
        ("test_*.py check_*.py", "test_event_harness.py"),
        ("check_*.py", "check_event_harness.py"),
    ],
)
def test_new_test_has_a_name_that_pytest_collects(project, answered, patterns, name):
    (project / "setup.cfg").write_text(f"[tool:pytest]\npython_files = {patterns}\n")
    code, said = answered(*ANSWERS)
    assert code == 0, said
    assert f"tests/{name}" in written(project)


MODULE = """
resource "aws_sqs_queue" "out" {
}
resource "aws_s3_bucket" "hidden" {
}
"""
CALL = 'module "relay" {\n  source = "./relay"\n}\nmodule "many" {\n  source = "./relay"\n  count = 2\n}\n'


def test_end_in_a_module_is_named_by_the_output_of_the_module(project, answered):
    (project / "relay").mkdir()
    output = 'output "results" {\n  value = aws_sqs_queue.out.arn\n}\n'
    (project / "relay" / "main.tf").write_text(MODULE + output)
    (project / "main.tf").write_text(CALL)
    code, said = answered(arguments=("--no-deploy", "--yes"))
    assert code == 0, said
    sources = hcl.read(project / "event_harness.tf")["module"]["event_listener"]["sources"]
    assert sources == {"out": {"type": "sqs", "queue_arn": "module.relay.results"}}


def test_module_that_has_no_output_for_its_end_is_told_which_one_it_needs(project, answered):
    (project / "relay").mkdir()
    (project / "relay" / "main.tf").write_text(MODULE)
    (project / "main.tf").write_text(CALL)
    code, said = answered()
    assert code == 1
    needed = "module.relay.aws_s3_bucket.hidden.bucket, module.relay.aws_sqs_queue.out.arn"
    assert f"Its modules have {needed}: give the module of the end an output with that value" in said
    assert written(project) == {"relay/main.tf"}


def test_place_in_a_module_without_an_output_is_named_beside_those_of_the_root(project, answered):
    (project / "relay").mkdir()
    (project / "relay" / "main.tf").write_text(MODULE)
    (project / "main.tf").write_text(MAIN + CALL)
    _, said = answered(arguments=("--no-deploy", "--yes"))
    needed = "module.relay.aws_s3_bucket.hidden.bucket, module.relay.aws_sqs_queue.out.arn"
    assert f"no module has an output for {needed}, so no test can listen there" in said


def test_module_that_is_not_there_is_left_to_terraform(project, answered):
    (project / "main.tf").write_text(MAIN + CALL)
    assert answered(arguments=("--no-deploy", "--yes"))[0] == 0


def test_root_with_nothing_to_listen_to_is_one_line(project, answered):
    (project / "main.tf").write_text('resource "aws_iam_role" "r" {\n}\n')
    code, said = answered()
    assert code == 1
    assert "declares nothing to listen to" in said


STATE = {
    "version": 4,
    "serial": 1,
    "outputs": {},
    "resources": [
        {
            "mode": "managed",
            "type": kind,
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"attributes": attributes}],
        }
        for kind, name, attributes in [
            (
                "aws_sqs_queue",
                "inbox",
                {
                    "arn": "arn:aws:sqs:eu-west-1:000000000000:inbox",
                    "url": "http://x/inbox",
                    "id": "http://x/inbox",
                    "name": "inbox",
                },
            ),
            (
                "aws_sqs_queue",
                "out",
                {
                    "arn": "arn:aws:sqs:eu-west-1:000000000000:out",
                    "url": "http://x/out",
                    "id": "http://x/out",
                    "name": "out",
                },
            ),
            (
                "aws_lambda_function",
                "f",
                {
                    "arn": "arn:aws:lambda:eu-west-1:000000000000:function:f",
                    "function_name": "f",
                    "environment": [{"variables": {"OUT": "http://x/out"}}],
                },
            ),
            (
                "aws_lambda_event_source_mapping",
                "m",
                {
                    "event_source_arn": "arn:aws:sqs:eu-west-1:000000000000:inbox",
                    "function_arn": "arn:aws:lambda:eu-west-1:000000000000:function:f",
                    "function_name": "f",
                    "enabled": True,
                },
            ),
        ]
    ],
}


def test_ends_and_entries_are_found_in_the_graph(project):
    (project / "main.tf").write_text(
        'resource "aws_sqs_queue" "out" {\n}\nresource "aws_sqs_queue" "inbox" {\n}\n'
    )
    graph = build(parse(json.dumps(STATE), "test"))
    found = survey.places(Configuration.read(project))
    assert [place.name for place in survey.ends(graph, found)] == ["out"]
    assert [place.name for place in survey.entries(graph, found)] == ["inbox"]


def test_function_is_an_entry_and_the_queue_for_failures_is_the_last_end():
    kinds = {"f": "lambda", "dead": "sqs", "out": "sqs"}
    nodes = {name: Node(name, name, kind, kind, name) for name, kind in kinds.items()}
    graph = Graph(
        nodes, (Edge("f", "dead", "dead-letter queue", failure=True), Edge("f", "out", "may write"))
    )
    found = [Place("dead", "dead", "sqs"), Place("out", "out", "sqs")]
    assert survey.ends(graph, found) == [found[1], found[0]]
    assert survey.entries(graph, found) == [Place("f", "f", "lambda", listens=False)]


def test_tests_send_to_another_place_than_that_of_the_results(answered):
    _, said = answered(arguments=["--no-deploy", "--yes", "--dry-run"])
    assert "where do results arrive? one of: shop (eventbridge), dead (sqs), inbox (sqs) [shop]" in said
    assert "where do tests send inputs? one of: shop (eventbridge), seen (dynamodb), " in said
    assert "dead (sqs), inbox (sqs) [shop]\nwhere do tests" not in said
    assert "inbox (sqs) [seen]" in said


def default(_question, default):
    """Answers as an empty line does."""
    return default


API = Place("a", "api", "http", listens=False)
QUEUE, TABLE = Place("b", "confirmed", "sqs"), Place("aws_dynamodb_table.t", "t", "dynamodb")
POST, GET = ("POST", "/orders"), ("GET", "/orders")


@pytest.mark.parametrize(
    ("end", "result", "route", "key", "input_id"),
    [
        (QUEUE, Id("body", "order.id"), POST, "", Id("body", "order.id")),
        (QUEUE, new_files.USUAL, POST, "", new_files.USUAL),
        (QUEUE, Id("attribute", "trace"), POST, "", new_files.USUAL),
        (QUEUE, new_files.USUAL, GET, "", Id("header", "x-correlation-id")),
        (QUEUE, new_files.USUAL, ("PUT", "/orders/*"), "", Id("path")),
        (TABLE, Id("key"), POST, "order_id", Id("body", "order_id")),
        (TABLE, Id("body", "new_image.trace"), POST, "order_id", Id("body", "trace")),
    ],
)
def test_input_carries_its_id_where_results_have_it_unless_the_user_says_otherwise(
    end, result, route, key, input_id
):
    assert init_questions.input_id(API, end, result, route, key, default) == input_id


def test_message_carries_its_id_in_the_attribute_that_results_have_it_in():
    other = Place("c", "inbox", "sqs")
    trace = Id("attribute", "trace")
    assert init_questions.input_id(other, QUEUE, trace, None, "", default) == trace


@pytest.mark.parametrize(("answer", "kind"), [("header:x", "header"), ("query:x", "query"), ("x", "body")])
def test_input_of_an_api_carries_its_id_where_the_user_says(answer, kind):
    assert init_questions.id_of("where?", API, lambda *_: answer) == Id(kind, "x")


def test_partition_key_of_a_table_is_read_from_the_configuration(project):
    (project / "table.tf").write_text(
        'resource "aws_dynamodb_table" "t" {\n  hash_key = "order_id"\n}\n'
        'resource "aws_dynamodb_table" "u" {\n  hash_key = var.key\n}\n'
    )
    configuration = Configuration.read(project)
    assert survey.key(TABLE, configuration) == "order_id"
    assert survey.key(Place("aws_dynamodb_table.u", "u", "dynamodb"), configuration) == ""
    assert survey.key(QUEUE, configuration) == ""


@pytest.mark.parametrize(
    ("key", "route"),
    [
        ("PUT /orders", ("PUT", "/orders")),
        ("ANY /orders/{id}", ("POST", "/orders/*")),
        ("ANY /orders/{proxy+}", ("POST", "/orders/")),
        ("$default", ("POST", "/")),
    ],
)
def test_inputs_of_an_api_go_to_a_path_that_its_route_takes(project, key, route):
    (project / "api.tf").write_text(f'resource "aws_apigatewayv2_route" "r" {{\n  route_key = "{key}"\n}}\n')
    assert init_questions.route_of(API, Configuration.read(project), default) == route
    with pytest.raises(SettingError, match="'orders' is no route"):
        init_questions.route_of(API, Configuration.read(project), lambda *_: "orders")


@pytest.mark.parametrize(
    ("input_id", "route", "settings", "told"),
    [
        (
            Id("body", "id"),
            POST,
            '{"api": {"field": "id", "method": "POST", "path": "/orders"}}',
            "An input of api carries its id in the field id and in the header x-correlation-id,",
        ),
        (
            Id("header", "x-id"),
            GET,
            '{"api": {"header": "x-id", "method": "GET", "path": "/orders"}}',
            "An input of api carries its id in the header x-id,",
        ),
        (
            Id("path"),
            ("PUT", "/orders/*"),
            '{"api": {"method": "PUT", "path": "/orders/*"}}',
            "An input of api carries its id in the path and in the header x-correlation-id,",
        ),
    ],
)
def test_files_and_message_say_all_places_of_the_id(input_id, route, settings, told):
    known = new_files.Answers(QUEUE, Id("body", "id"), {}, API, input_id, None, 30, route)
    written = new_files.conftest(known)
    compile(written, "conftest", "exec")
    assert f"return {settings}" in written
    assert "harness_readiness_probe" not in written
    assert ("# The header x-correlation-id carries it, too." in written) == ("and in" in told)
    said = new_files.where_ids_are(known)
    assert said == f"{told} a result at confirmed in the field id"
    compile(new_files.test(known), "test", "exec")


def test_listener_looks_by_itself_where_results_usually_have_the_id(project, answered):
    """Then a system that passes on only the message attribute has results, too."""
    code, said = answered("dead", arguments=["--no-deploy"])
    assert code == 1  # nobody answers the next question
    code, said = answered("dead", "", "inbox", "", "", "", "y")
    assert code == 0, said
    assert "correlation" not in hcl.read(project / "event_harness.tf")["module"]["event_listener"]["sources"]
    text = (project / "event_harness.tf").read_text()
    assert "# The id of an input is in the message attribute or the field correlation_id." in text
    assert "a result at dead in the message attribute or the field correlation_id. If" in said


def test_places_have_the_names_that_tests_use():
    graph = Graph({"aws_sqs_queue.x": Node("aws_sqs_queue.x", "x_sqs", "aws_sqs_queue", "sqs", "url")}, ())
    found = [Place("aws_sqs_queue.x", "x", "sqs"), Place("aws_sns_topic.y", "y", "sns")]
    assert [place.name for place in survey.named(graph, found)] == ["x_sqs", "y"]


def test_places_of_one_label_have_their_type_in_their_names_as_in_tests(project):
    (project / "main.tf").write_text(
        "".join(f'resource "{kind}" "x" {{\n}}\n' for kind in ("aws_sns_topic", "aws_sqs_queue"))
    )
    found = survey.places(Configuration.read(project))
    assert [place.name for place in found] == ["x_sns", "x_sqs"]


def test_table_without_a_stream_is_named_since_no_result_can_be_seen_there(answered):
    _, said = answered(arguments=["--no-deploy", "--yes", "--dry-run"])
    assert said.startswith("aws_dynamodb_table.seen has no stream, so no test can see what is written there.")


def test_found_places_are_the_defaults(answered, monkeypatch):
    nodes = [
        Node("aws_sqs_queue.inbox", "inbox", "aws_sqs_queue", "sqs", "url"),
        Node("aws_sqs_queue.dead", "dead", "aws_sqs_queue", "sqs", "url"),
    ]
    graph = Graph(
        {node.address: node for node in nodes},
        (Edge("aws_sqs_queue.inbox", "aws_sqs_queue.dead", "may write"),),
    )
    monkeypatch.setattr(survey, "deployed", lambda *_: graph)
    code, said = answered(arguments=["--yes"])
    assert code == 0
    assert "where do results arrive? one of: shop (eventbridge), dead (sqs), inbox (sqs) [dead]" in said
    assert "(sqs) [inbox]\nwhere does an input of inbox carry" in said


def test_system_that_can_not_be_deployed_is_asked_for(answered, monkeypatch):
    def refused(*_arguments):
        raise DeploymentError("apply failed: no")

    monkeypatch.setattr(survey, "deployed", refused)
    code, said = answered(*ANSWERS, arguments=[])
    assert code == 0
    assert "it can't be deployed, so you are asked instead: apply failed: no" in said


def deployed(monkeypatch, edges, *nodes):
    """Lets `init` find a copy of these addresses, with these edges between them."""
    found = {
        address: Node(address, name, address.split(".")[-2], survey._TYPES[address.split(".")[-2]], name)
        for address, name in nodes
    }
    monkeypatch.setattr(survey, "deployed", lambda *_: Graph(found, tuple(edges)))


SEVERAL = """
resource "aws_sqs_queue" "in" {
  for_each = local.queues
}
resource "aws_s3_bucket" "archive" {
  count = var.archive ? 1 : 0
}
"""


def test_end_with_count_and_entries_with_for_each_are_those_of_the_copy(project, answered, monkeypatch):
    (project / "main.tf").write_text(SEVERAL)
    bucket, eu, us = "aws_s3_bucket.archive[0]", 'aws_sqs_queue.in["eu"]', 'aws_sqs_queue.in["us"]'
    deployed(
        monkeypatch,
        [Edge(eu, bucket, "may write"), Edge(us, bucket, "may write")],
        *((bucket, "archive"), (eu, "in_eu"), (us, "in_us")),
    )
    code, said = answered("", "key", "in_us", "", "", "", "y", arguments=[])
    assert code == 0, said
    assert "where do results arrive? one of: archive (s3), in_eu (sqs), in_us (sqs) [archive]" in said
    sources = hcl.read(project / "event_harness.tf")["module"]["event_listener"]["sources"]
    assert sources == {"archive": {"type": "s3", "bucket": "aws_s3_bucket.archive[0].bucket"}}
    assert 'producers["in_us"].send({})' in (project / "tests/test_event_harness.py").read_text()


def test_end_in_a_module_with_for_each_is_named_by_the_instance(project, answered, monkeypatch):
    (project / "main.tf").write_text(
        'module "region" {\n  source = "./region"\n  for_each = toset(["eu", "us.east"])\n}\n'
    )
    (project / "region").mkdir()
    (project / "region/main.tf").write_text(
        'resource "aws_sqs_queue" "out" {\n  count = 1\n}\n'
        'output "queue_arn" {\n  value = aws_sqs_queue.out[0].arn\n}\n'
    )
    ends = [f'module.region["{key}"].aws_sqs_queue.out[0]' for key in ("eu", "us.east")]
    deployed(monkeypatch, [], (ends[0], "region_eu"), (ends[1], "region_us.east"))
    code, said = answered("region_us.east", "", "", "", "", "", "y", arguments=[])
    assert code == 0, said
    sources = hcl.read(project / "event_harness.tf")["module"]["event_listener"]["sources"]
    assert sources == {
        "region_us-east": {"type": "sqs", "queue_arn": 'module.region["us.east"].queue_arn'},
    }
    assert 'result.source == "region_us-east"' in (project / "tests/test_event_harness.py").read_text()


def test_what_has_count_is_named_where_no_copy_tells_its_instances(project, answered):
    (project / "main.tf").write_text(SEVERAL)
    code, said = answered(arguments=["--no-deploy", "--yes"])
    assert code == 1
    assert ". Only a deployed copy tells the instances of aws_s3_bucket.archive, aws_sqs_queue.in" in said
    (project / "main.tf").write_text(MAIN)
    _, said = answered(arguments=["--no-deploy", "--yes", "--dry-run"])
    assert "the instances of aws_s3_bucket.several, so none of them is offered" in said


@pytest.mark.parametrize(
    ("patterns", "event"),
    [
        (['{"source": ["shop"], "detail-type": ["placed", "paid"]}'], ("shop", "placed")),
        (['{"detail": {}}', '{"source": [{"prefix": "shop."}]}'], ("shop.", "")),
        (['{"source": [{"anything-but": "x"}], "detail-type": [{"equals-ignore-case": "P"}]}'], ("", "P")),
        (["[1]"], ("", "")),
        ([], ("", "")),
    ],
)
def test_source_and_detail_type_are_those_that_a_rule_takes(patterns, event):
    bus = Node("bus", "bus", "aws_cloudwatch_event_bus", "eventbridge", "bus")
    edges = tuple(Edge("bus", f"q{n}", "rule r", filter=f"events {one}") for n, one in enumerate(patterns))
    nodes = {f"q{n}": Node(f"q{n}", f"q{n}", "aws_sqs_queue", "sqs", "u") for n in range(len(patterns))}
    assert survey.event(Graph({"bus": bus, **nodes}, edges), "bus") == event


def test_inputs_of_a_bus_have_the_source_and_the_detail_type_that_the_user_names(project, answered):
    code, said = answered("dead", "order", "shop", "orders", "placed", "order", "", "", "y")
    assert code == 0, said
    settings = (project / "tests/conftest.py").read_text().partition("return ")[2].partition("\n\n")[0]
    assert ast.literal_eval(settings) == {
        "shop": {"field": "order", "source": "orders", "detail_type": "placed"}
    }


class Person(io.StringIO):
    """Types on a terminal."""

    def isatty(self):
        return True


def test_person_is_asked_again_after_a_wrong_answer(project, monkeypatch, capsys):
    wrong = ["nowhere", ANSWERS[0], "{", *ANSWERS[1:6], "soon", *ANSWERS[6:]]
    monkeypatch.setattr(sys, "stdin", Person("\n".join([*wrong, ""])))
    assert cli.main(["init", "--no-deploy"]) == 0
    said = capsys.readouterr().out
    assert "'nowhere' is none of: shop (eventbridge), dead (sqs), inbox (sqs)\nwhere do results" in said
    assert said.count("within how many seconds") == 2
    assert written(project) == FILES


def test_person_who_ends_the_input_is_asked_no_more(project, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Person("nowhere\n"))
    assert cli.main(["init", "--no-deploy"]) == 1
    assert "nobody answers" in capsys.readouterr().err
    assert written(project) == set()


@pytest.mark.parametrize(
    "value",
    ["a \"b\" 'c'", {"text": "it's", "n": [1, True, None]}, {"lines": [{"sku": "x" * 60, "n": 1.5}] * 3}, []],
)
def test_constants_in_python_are_as_formatters_write_them(value):
    text = new_files._python(value)
    assert ast.literal_eval(text) == value
    source = f"def f():\n    return {text}\n"
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    assert formatted.stdout == source
