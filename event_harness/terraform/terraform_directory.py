"""The directory `.terraform` of a view, as far as a configuration looks into it.

Terraform's own data is elsewhere: TF_DATA_DIR lies beside the view. But configurations put archives below
`.terraform`, and read the files of fetched modules there.
"""

from pathlib import Path

from event_harness.terraform.copying import TERRAFORM
from event_harness.terraform.deployment_view import View


def make(view: View, data_dir: Path) -> None:
    """Make the directory in the root of a view, before `terraform init`.

    Args:
        view: the view.
        data_dir: the deployment's TF_DATA_DIR, whose modules the configuration finds there if it looks.
    """
    directory = view.root / TERRAFORM
    directory.mkdir(exist_ok=True)
    link = directory / "modules"
    if view.left_out.is_wanted(TERRAFORM) and not (link.exists() or link.is_symlink()):
        link.symlink_to(data_dir.resolve() / "modules", target_is_directory=True)
