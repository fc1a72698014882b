"""The Terraform that a deployment was applied with."""

import dataclasses
import os
from pathlib import Path

from event_harness.deployments.record import DeploymentRecord
from event_harness.terraform import toolchain
from event_harness.terraform.toolchain import Toolchain


def recorded_toolchain(record: DeploymentRecord) -> Toolchain:
    """The toolchain of its apply, if it still exists: an older terraform can't read a newer one's state."""
    recorded = record.terraform if Path(record.terraform).is_file() else None
    found = toolchain.find(
        None if os.environ.get(toolchain.VARIABLE) else recorded,
        target="aws" if record.target == "aws" else "local",
        origin="the deployment's record",
        providers=record.providers,
        providers_origin="the deployment's record",
    )
    same = found.providers == record.providers
    return dataclasses.replace(found, why=record.providers_why) if same and record.terraform else found
