"""Starts hashicorp/aws once for many terraform commands, as HashiCorp's own tests of providers do.

Terraform starts a provider several times in each command. A provider that runs already, and whose address
is in TF_REATTACH_PROVIDERS, serves them all. It holds one configuration at a time: use one for each root.
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from event_harness.terraform.command import _interrupt_when_parent_dies

VARIABLE = "TF_REATTACH_PROVIDERS"
_SAID = re.compile(rf"{VARIABLE}='(\{{.*\}})'")


@contextmanager
def lasting_provider(root: Path, data: Path, environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run the provider that `terraform init` has installed, and end it.

    Args:
        root: The configuration. The provider finds files from there, as terraform does.
        data: The directory of TF_DATA_DIR.
        environ: The environment of the provider.

    Yields:
        The variable that leads terraform to it.
    """
    (program,) = data.glob("providers/*/hashicorp/aws/*/*/terraform-provider-aws*")
    host = program.relative_to(data / "providers").parts[0]
    with subprocess.Popen(
        [program, "-debug"],
        cwd=root,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_interrupt_when_parent_dies,
    ) as process:
        try:
            assert process.stdout is not None
            # What it prints after its address is read too: a full pipe would stop it.
            said = next(filter(None, map(_SAID.search, process.stdout)), None)
            assert said, f"{program} has ended and named no address"
            threading.Thread(target=process.stdout.read, daemon=True).start()
            (where,) = json.loads(said[1]).values()
            yield {VARIABLE: json.dumps({f"{host}/hashicorp/aws": where})}
        finally:
            process.kill()
