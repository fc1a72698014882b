"""What a deployment says about its system, beside its outputs."""

from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.deployments.deployed import remarks
from event_harness.system.deployed_system import DeployedSystem
from event_harness.system.graph.model import Edge, Graph, Node

GRAPH = Graph(
    {name: Node(name, name, "k", type_, name) for name, type_ in (("forward", "pipe"), ("out", "sqs"))},
    (Edge("forward", "out", "pipe target"),),
)
EMULATOR = Target.local("http://127.0.0.1:4566", "eu-west-1", emulator_log=Path("/here/emulator.log"))


def test_connection_that_the_emulator_does_not_carry_out_is_told():
    (line,) = remarks(DeployedSystem("d1", EMULATOR, {}, graph=GRAPH))
    assert line.startswith("forward -> out (pipe target): the pipe holds the records, since the local AWS")


def test_nothing_is_told_of_aws_of_another_emulator_and_of_a_system_without_a_graph():
    for target in (Target("aws", "eu-west-1"), Target.emulator("http://127.0.0.1:4566")):
        assert remarks(DeployedSystem("d1", target, {}, graph=GRAPH)) == []
    assert remarks(DeployedSystem("d1", EMULATOR, {})) == []


def test_resource_that_was_not_understood_is_told_everywhere():
    graph = Graph({}, (), ("aws_x.y: KeyError: 'z'",))
    line = "the graph of the system leaves out aws_x.y: KeyError: 'z'"
    assert remarks(DeployedSystem("d1", Target("aws", "eu-west-1"), {}, graph=graph)) == [line]
