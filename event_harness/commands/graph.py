"""The command graph: prints how events pass through a system."""

import argparse
import os
import sys
from pathlib import Path

from event_harness.commands.options import state_dir
from event_harness.deployments import records
from event_harness.errors import SettingError
from event_harness.machine import terminal
from event_harness.system.found_components import of_file, of_list, with_listed
from event_harness.system.graph import render, state
from event_harness.system.graph.build import build
from event_harness.system.graph.listener import OUTPUT
from event_harness.system.graph.model import Graph
from event_harness.system.resources import ResourceMap

_STATE = "terraform.tfstate"


def run(options: argparse.Namespace) -> int:
    """Print the graph of a system, as a Mermaid flowchart or as JSON."""
    graph = _graph(options)
    terminal.say(render.as_json(graph) if options.json else render.mermaid(graph))
    return 0


def _graph(options: argparse.Namespace) -> Graph:
    given = [text for text in (options.deployment_id, options.state, options.resources) if text]
    if len(given) > 1:
        raise SettingError(
            f"{given[0]} and {given[1]} are two systems: give a deployment, --state or --resources"
        )
    if options.resources:
        described = of_file(Path(options.resources))
        return described.graph or of_list(described.components)
    if options.state == "-":
        return of_state(state.parse(sys.stdin.read(), "standard input"))
    return of_state(state.read(Path(options.state) if options.state else _found(options)))


def of_state(found: state.State) -> Graph:
    """The graph of a state, with the components that its resource map lists by hand."""
    graph = build(found)
    value = found.outputs.get(OUTPUT)
    if not isinstance(value, dict):
        return graph
    return with_listed(graph, ResourceMap.from_mapping(value, f"Terraform output {OUTPUT!r}").components)


def _found(options: argparse.Namespace) -> Path:
    """The state of the deployment that was asked for; without one of the newest, else of the root itself."""
    there = [one for one in records.recorded(state_dir(options)) if one.configuration]
    wanted = [one for one in there if options.deployment_id in (None, one.deployment_id)]
    if wanted:
        return wanted[-1].state
    if options.deployment_id:
        names = ", ".join(one.deployment_id for one in there) or "none"
        raise SettingError(
            f"no deployment {options.deployment_id!r} is on record here; there are: {names} (keep one with"
            " pytest --harness-keep, or give --state FILE)"
        )
    root = options.project or Path.cwd()
    for file in _local_states(root):
        if file.is_file():
            return file
    raise SettingError(
        f"{root} has no deployment and no local state, so its graph is not known yet: keep a deployment with"
        " pytest --harness-keep, or give the state: terraform show -json | event-harness graph --state -"
        " (until then: a component has the label of its resource as its name, as orders of"
        " aws_sqs_queue.orders, and api of aws_apigatewayv2_stage.api)"
    )


def _local_states(root: Path) -> list[Path]:
    """Where plain Terraform keeps the state of the selected workspace, without a backend."""
    data = root / os.environ.get("TF_DATA_DIR", ".terraform")
    try:
        selected = (data / "environment").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        selected = ""
    workspace = os.environ.get("TF_WORKSPACE") or selected or "default"
    own = root / "terraform.tfstate.d" / workspace / _STATE
    return [root / _STATE] if workspace == "default" else [own]
