"""Lets Terraform deploy with `AUTH=true` what it deploys without it.

`AUTH=true` is there for the roles of functions. With it MiniStack also refuses what AWS would refuse in a
deployment: a notification before the policy of its queue, a role that isn't there. A configuration that plain
MiniStack deploys must not fail for that. After apply the harness looks itself at what connections need.
"""

import logging
from typing import Any

from ministack import app as ministack
from ministack.core import iam_evaluator
from ministack.services import iam, s3

_log = logging.getLogger("event_harness")
_unknown_roles: set[str] = set()


def install() -> None:
    """Change MiniStack before its first request, if it was started with `AUTH=true`."""
    if not ministack.AUTH:
        return
    s3._notification_destination_allows = lambda *_arguments: True
    s3._new_bucket_public_access_block = dict
    iam_evaluator.validate_role_arn = accept_role
    load = ministack._get_module

    def loaded(name: str) -> Any:
        """Load a service. CloudFormation takes as long as all others together, and few systems use it."""
        if name == "cloudformation":
            from ministack.services.cloudformation import handlers

            handlers._capabilities_enforced = lambda: False
        return load(name)

    ministack._get_module = loaded


def accept_role(arn: str) -> None:
    """Accept a role, also one that isn't there; what may be done with that is then not checked.

    Args:
        arn: as the configuration has it, which need not be an ARN.
    """
    name = arn.rpartition("/")[2]
    if name and iam._roles.get(name) is None:
        _unknown_roles.add(name)
        _log.warning("there is no role %s: what it may do is not checked", arn)


def is_unknown_role(name: str) -> bool:
    """Whether a role has been accepted although it isn't there."""
    return name in _unknown_roles
