"""Adapts the modules that `terraform init` has fetched; `overrides` adapts the modules beside the root."""

from pathlib import Path

from event_harness.terraform.configuration import Configuration
from event_harness.terraform.fetched import own_copies
from event_harness.terraform.runtimes import override_runtimes


def adapt_fetched_modules(data_dir: Path) -> None:
    """Override the Lambda runtimes of fetched modules. It may be called again.

    Args:
        data_dir: the TF_DATA_DIR of a root, after `terraform init`.
    """
    for directory in own_copies(data_dir):
        override_runtimes(Configuration.read(directory))
