"""Add the condition key `iam:PermissionsBoundary` to MiniStack, which evaluates policies without it.

A test puts this directory into the PYTHONPATH of the local AWS emulator. The value follows AWS's Service
Authorization Reference: for CreateRole and PutRolePermissionsBoundary the boundary in the request, for the
other calls the boundary that the role has.
"""

import sys
from typing import Any

if "event_harness.aws.front" in sys.orig_argv:  # the emulator itself, not one of its Lambda workers
    from ministack.core import iam_actions
    from ministack.services import iam

    request_tag_context = iam_actions.request_tag_context

    def with_boundary(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        """Return MiniStack's own condition keys and, for IAM, the boundary."""
        keys: dict[str, Any] = request_tag_context(service, iam_action, body, params)
        if service == "iam":
            if iam_action in ("iam:CreateRole", "iam:PutRolePermissionsBoundary"):
                boundary = iam._p(params, "PermissionsBoundary")
            else:
                boundary = (iam._roles.get(iam._p(params, "RoleName")) or {}).get("PermissionsBoundary")
            if boundary:
                keys["iam:permissionsboundary"] = boundary
        return keys

    iam_actions.request_tag_context = with_boundary
