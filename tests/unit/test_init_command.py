"""`init` writes what the first test needs, shows it before, and touches nothing that is there."""

import io
import json
import sys

import pytest

from event_harness import cli
from event_harness.commands import init, new_files, survey
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
    assert 'return {"inbox": {"attribute": "trace"}}\n' in conftest.replace("'", '"')
    assert 'return {"lines": []}\n' in conftest.replace("'", '"')
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
    assert f"{'pytest.ini' if name == 'setup.cfg' else name} is there already and stays as it is" in said


def test_second_run_writes_nothing(project, answered):
    answered(*ANSWERS)
    before = {name: (project / name).read_text() for name in written(project)}
    code, said = answered(*ANSWERS)
    assert code == 0
    assert "nothing is to be written" in said
    assert {name: (project / name).read_text() for name in written(project)} == before


def test_root_in_a_directory_of_its_own_is_named_in_the_ini_file(project, answered):
    (project / "infra").mkdir()
    (project / "main.tf").rename(project / "infra/main.tf")
    code, _ = answered(*ANSWERS, arguments=["--no-deploy", "--root", "infra"])
    assert code == 0
    assert "harness_root = infra\n" in (project / "pytest.ini").read_text()
    assert (project / "infra/event_harness.tf").exists()


def test_root_below_is_asked_for_and_modules_are_none(project, answered):
    for name in ("infra/live", "infra/modules/queue", ".terraform/modules/x"):
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


def test_setting_that_an_ini_file_of_the_users_own_lacks_is_named(project, answered):
    (project / "infra").mkdir()
    (project / "main.tf").rename(project / "infra/main.tf")
    (project / "pytest.ini").write_text("[pytest]\n")
    _, said = answered(*ANSWERS, arguments=["--no-deploy", "--root", "infra"])
    assert "pytest.ini is there already and stays as it is; add to it: harness_root = infra" in said


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


def test_api_carries_the_id_in_a_header():
    place = Place("a", "api", "http", listens=False)
    assert init._id("where?", place, lambda _question, default: default) == init.Id(
        "header", "x-correlation-id"
    )


def test_inputs_of_an_api_go_to_its_route(project):
    (project / "api.tf").write_text(
        'resource "aws_apigatewayv2_route" "default" {\n  route_key = "$default"\n}\n'
        'resource "aws_apigatewayv2_route" "orders" {\n  route_key = "PUT /orders"\n}\n'
    )
    place, configuration = Place("a", "api", "http", listens=False), Configuration.read(project)
    assert init._route(place, configuration, lambda _question, default: default) == ("PUT", "/orders")
    with pytest.raises(SettingError, match="'orders' is no route"):
        init._route(place, configuration, lambda _question, _default: "orders")
    end = Place("b", "confirmed", "sqs", listens=True)
    known = new_files.Answers(
        end, init.Id("body", "id"), {}, place, init.Id("body", "id"), {}, 30, ("PUT", "/orders")
    )
    compact = new_files.conftest(known).replace(" ", "").replace("\n", "")
    assert "{'api':{'field':'id','method':'PUT','path':'/orders'}}" in compact


def test_places_have_the_names_that_tests_use():
    graph = Graph({"aws_sqs_queue.x": Node("aws_sqs_queue.x", "x_sqs", "aws_sqs_queue", "sqs", "url")}, ())
    found = [Place("aws_sqs_queue.x", "x", "sqs"), Place("aws_sns_topic.y", "y", "sns")]
    assert [place.name for place in survey.named(graph, found)] == ["x_sqs", "y"]


def test_found_places_are_the_defaults(project, answered, monkeypatch):
    monkeypatch.setattr(init, "_found", lambda _options, places: (places, [places[0]], [places[2]]))
    code, said = answered(arguments=["--yes"])
    assert code == 0
    assert "where do results arrive? one of: shop (eventbridge), dead (sqs), inbox (sqs) [shop]" in said
    assert "where do tests send inputs?" in said


def test_system_that_can_not_be_deployed_is_asked_for(answered, monkeypatch):
    def refused(*_arguments):
        raise DeploymentError("apply failed: no")

    monkeypatch.setattr(survey, "deployed", refused)
    code, said = answered(*ANSWERS, arguments=[])
    assert code == 0
    assert "it can't be deployed, so you are asked instead: apply failed: no" in said
