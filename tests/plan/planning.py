"""Plans a configuration on an AWS emulator: one init, one start of each provider, one plan for each case."""

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import tftest

from event_harness.aws.targets import Target
from event_harness.terraform import configuration, view
from event_harness.terraform.command import Terraform
from event_harness.terraform.overrides import write_override
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.provider_servers import Servers, servable
from event_harness.terraform.recovery import Transient
from event_harness.terraform.runtimes import RuntimeSubstitution
from event_harness.terraform.toolchain import Toolchain

# A customer's account. MiniStack uses an access key of twelve digits as the account's number.
REAL_ACCOUNT = "111122223333"
# Replaces AWS's own parameter: only AWS may use its name.
LAYER_PARAMETER = "/stands-for/powertools"


class Planner:
    """An initialised copy of a configuration.

    Args:
        root: The configuration.
        directory: An empty directory for the copy, Terraform's data, the states and the logs.
        target: The emulator.
        toolchain: The binary and the providers.
        real_account: Plan as if the emulator were a customer's account.
    """

    def __init__(
        self, root: Path, directory: Path, target: Target, toolchain: Toolchain, *, real_account: bool = False
    ) -> None:
        self.directory = directory
        copied = view.make(root, directory / "config").root
        write_override(copied, endpoint_url=target.endpoint_url, old_provider=toolchain.old_provider)
        base = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        environ = target.environ(base) | toolchain.environ() | {"TF_DATA_DIR": str(directory / "data")}
        if real_account:
            environ["AWS_ACCESS_KEY_ID"] = REAL_ACCOUNT
            _as_real_account(copied, old_provider=toolchain.old_provider)
        runtimes = RuntimeSubstitution(ProviderInUse(toolchain, copied), copied, directory / "data")
        self._terraform = Terraform(
            copied,
            binary=toolchain.binary,
            environ=environ,
            logs=directory / "logs",
            timeout=300,
            recoveries=[Transient(), runtimes],
        )
        if toolchain.providers == "registry":
            self._terraform.env |= {n: v for n, v in base.items() if n.lower().endswith("_proxy")}
        self._terraform.init(color=False)
        runtimes.prepare()
        self._ends = ExitStack()
        # One start of each provider for all plans: terraform would start it several times for each.
        providers = servable(copied, directory / "data")
        served = self._ends.enter_context(Servers(providers, self._terraform.env, copied))
        self._terraform.env |= served.variables

    def close(self) -> None:
        """End the providers."""
        self._ends.close()

    def plan(self, case: Path, after: Path | None = None) -> tftest.TerraformPlanOutput:
        """Plan a case, on an empty state or after another case was applied.

        Raises:
            DeploymentError: Terraform refuses the input.
        """
        state = self._applied(after) if after else self.directory / "nothing.tfstate"
        return self._terraform.planned(f"-var-file={case}", f"-state={state}", "-lock=false")

    def _applied(self, case: Path) -> Path:
        state = self.directory / f"{case.stem}.tfstate"
        if not state.exists():
            self._terraform.apply(color=False, tf_var_file=str(case), state=str(state))
        return state


def _as_real_account(root: Path, *, old_provider: bool) -> None:
    """Override what the emulator or provider 3.39 can't do as a real account does."""
    parameter = {"aws_ssm_parameter": {"powertools_layer": {"name": LAYER_PARAMETER}}}
    controls = {
        "aws_s3_bucket_ownership_controls": {"this": {"rule": [{"object_ownership": "ObjectWriter"}]}}
    }
    override_of = {"lambda_function": {"data": parameter}}
    if old_provider:  # knows no "BucketOwnerEnforced"
        override_of["private_bucket"] = {"resource": controls}
    for module in configuration.Configuration.read(root).tree():
        if override := override_of.get(module.directory.name):
            (module.directory / "real_account_override.tf.json").write_text(json.dumps(override))


def remove(directory: Path) -> None:
    """Delete a planner's directory: its providers take 200 MB."""
    shutil.rmtree(directory, ignore_errors=True)
