"""A system that is there to be tested, whoever deployed it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from event_harness.aws.targets import Target
from event_harness.errors import ResourceMapError, SettingError
from event_harness.system.found_components import with_graph
from event_harness.system.graph.model import Graph
from event_harness.system.resources import ResourceMap

OUTPUT = "event_harness"  # the Terraform output that holds the resource map


@dataclass(frozen=True)
class DeployedSystem:
    """A system that is there to be tested.

    Attributes:
        deployment_id: the deployment that deployed it; empty for a system that is described.
        target: where it is; `target.client("s3")` reaches it.
        outputs: all Terraform outputs, by name.
        declares_harness: whether its configuration has the output `event_harness` at all.
        described: its resource map, where that doesn't come from the outputs.
        graph: how events pass through it, if Terraform's state is at hand.
    """

    deployment_id: str
    target: Target
    outputs: Mapping[str, Any]
    declares_harness: bool = True
    described: ResourceMap | None = None
    graph: Graph | None = None

    @cached_property
    def resources(self) -> ResourceMap:
        """The resource map that the harness works with.

        Raises:
            NoTestResourcesError: deployed without test resources.
            ResourceMapError: there is no such output, or it isn't one the harness understands.
        """
        if self.described is not None:
            return self.described
        if not self.declares_harness and OUTPUT not in self.outputs:
            raise ResourceMapError(
                f"the Terraform root has no output {OUTPUT!r}; "
                f'add: output "{OUTPUT}" {{ value = one(module.event_listener[*].event_harness) }}'
            )
        # Terraform leaves an output that is null out altogether.
        listed = ResourceMap.from_mapping(self.outputs.get(OUTPUT), f"Terraform output {OUTPUT!r}")
        return with_graph(listed, self.graph) if self.graph else listed

    def check_region(self) -> None:
        """Check that the harness looks in the region that Terraform has deployed to.

        Raises:
            SettingError: its resource map is of another region.
        """
        described = self.outputs.get(OUTPUT)
        region = described.get("region") if isinstance(described, Mapping) else None
        if region not in (None, self.target.region):
            raise SettingError(
                f"Terraform has deployed to {region}, as its configuration says, but the harness looks in "
                f"{self.target.region}: set --harness-region={region} (harness_region in the ini file)"
            )

    def to_json(self) -> str:
        """This system as text, for another process of the same session."""
        return json.dumps(
            {
                "deployment_id": self.deployment_id,
                "target": self.target.name,
                "endpoint_url": self.target.endpoint_url,
                "region": self.target.region,
                "emulator_log": self.target.emulator_log and str(self.target.emulator_log),
                "outputs": dict(self.outputs),
                "declares_harness": self.declares_harness,
                "graph": self.graph and self.graph.to_json(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "DeployedSystem":
        """The system that `to_json` wrote."""
        raw = json.loads(text)
        if raw["target"] == "aws":
            target = Target.aws(region=raw["region"])
        else:
            # The emulator's credentials are in no file: they are read from its process.
            target = Target.emulator(raw["endpoint_url"], region=raw["region"], allow_remote=True)
            if raw["emulator_log"]:
                target = replace(target, emulator_log=Path(raw["emulator_log"]))
        graph = Graph.from_json(raw["graph"]) if raw["graph"] else None
        return cls(raw["deployment_id"], target, raw["outputs"], raw["declares_harness"], graph=graph)
