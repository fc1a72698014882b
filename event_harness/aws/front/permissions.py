"""What roles may do: MiniStack's authorization, with everything that it can't know taken as allowed.

With `AUTH=true` MiniStack checks each call of a function against its role. Where it names an action or a
resource otherwise than AWS, or doesn't know the value of a condition, it would deny what AWS allows. Each of
its denials of a role is therefore decided once more here.
"""

import contextvars
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack import app as ministack
from ministack.core import iam_actions, iam_evaluator, sigv4
from ministack.services import iam, sns, sqs, sts

from event_harness.aws import policies
from event_harness.aws.front import deploying
from event_harness.aws.policies import Request

_log = logging.getLogger("event_harness")

_EXACT = {
    *("s3", "dynamodb", "sqs", "sns", "events", "states", "kinesis", "lambda", "secretsmanager", "ssm"),
    "firehose",
}
"""Services of which MiniStack tells both action and resource as AWS does."""

_BY_ACTION = {
    *("logs", "iam", "kms", "scheduler", "monitoring", "athena", "rds-data", "pipes", "ses", "sesv2"),
    "dynamodbstreams",
}
"""Services of which it tells the action only: a role is denied what none of its statements allows anywhere.

A call of any other service is allowed.
"""

# Operations that AWS authorizes by another action.
_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
    "lambda:Invoke": "lambda:InvokeFunction",
}
_ALSO = {"ses:SendEmail": ("ses:SendRawEmail",), "ses:SendRawEmail": ("ses:SendEmail",)}
# AWS asks for other actions, which depend on the content of the request.
_NOT_KNOWN = {
    *("dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement", "dynamodb:ExecuteTransaction"),
    *("dynamodb:TransactWriteItems", "dynamodb:TransactGetItems", "kms:ReEncrypt"),
}

_names: contextvars.ContextVar[tuple[str, tuple[str, ...]]] = contextvars.ContextVar(
    "names", default=("", ())
)
_denied: contextvars.ContextVar[str] = contextvars.ContextVar("denied", default="")

_MANAGED = Path(__file__).with_name("managed_policies.json")


def install() -> None:
    """Change MiniStack's authorization before its first request, if it was started with `AUTH=true`."""
    know_managed_policies()
    if not ministack.AUTH:
        return
    iam_evaluator.enforce = certain(iam_evaluator.enforce)
    iam_actions.extract_resource_arn = _with_other_names(iam_actions.extract_resource_arn)
    iam_actions.access_denied_response = _with_resource(iam_actions.access_denied_response)
    # Requests come by plain http, which on AWS they don't. Tests may hold the clock that signs them.
    iam_evaluator._request_origin = contextvars.ContextVar("origin", default=("127.0.0.1", True))
    pin = iam_evaluator.pin_request_origin
    iam_evaluator.pin_request_origin = ministack.pin_request_origin = lambda source_ip, _secure: pin(
        source_ip, True
    )
    sigv4.request_time_failure = lambda _signature: None
    # The root user is never denied, and roles have been checked before.
    sqs._enforce_queue_policy = lambda _queue, _action: None
    sns._enforce_topic_policy = lambda _topic, _action: None
    sqs.queue_policy_allows = _service_may("sqs:SendMessage", lambda arn: sqs.queue_policy_for_arn(arn))
    sns.topic_policy_allows = _service_may("sns:Publish", lambda arn: sns.topic_policy_for_arn(arn))


def know_managed_policies() -> None:
    """Give MiniStack the documents of AWS's policies for the services of event-driven systems.

    They are from the AWS Managed Policy Reference (docs.aws.amazon.com/aws-managed-policy), October 2026. A
    policy of AWS that is not among them allows everything (`MINISTACK_AUTOCREATE_AWS_MANAGED`).
    """
    for name, document in json.loads(_MANAGED.read_text(encoding="utf-8")).items():
        record = iam._make_aws_managed_record(name, json.dumps(document))
        known = iam._aws_managed_policies.get(record["Arn"], {})
        iam._aws_managed_policies[record["Arn"]] = record | {"Description": known.get("Description", "")}


def certain(enforce: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's decision, but for denials of a role that AWS might not share."""

    def decided(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Decide about a call, with the corrections of this module."""
        answer = enforce(
            access_key_id,
            _ACTIONS.get(iam_action, iam_action),
            service,
            region,
            resource_arn=resource_arn,
            service_context=service_context,
        )
        session = sts._sessions.get(access_key_id)
        if not isinstance(answer, iam_evaluator.EvalResult) or session is None:
            return answer
        if ":assumed-role/" not in answer.principal_arn:
            return answer
        request = _request(iam_action, service, region, resource_arn, service_context, session)
        if request is None or not _is_denied(request, service, resource_arn, session):
            return None
        _denied.set(resource_arn)
        role, function = session["Arn"].rsplit("/", 2)[1:]
        _log.warning(
            "permission denied: role %s may not %s on %s (function %s)",
            *(role, request.action, resource_arn, function),
        )
        return answer

    return decided


def _request(
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str,
    service_context: Mapping[str, Any] | None,
    session: Mapping[str, Any],
) -> Request | None:
    """What is asked, or None if its name on AWS isn't known."""
    action = _ACTIONS.get(iam_action, iam_action)
    if service not in _EXACT | _BY_ACTION or action in _NOT_KNOWN:
        return None
    primary, names = _names.get()
    names = names if primary == resource_arn else (resource_arn,)
    exact = service in _EXACT and resource_arn != "*"
    role = _role(session) or {}
    account = str(session["Arn"].split(":")[4])
    context = {
        "aws:principalaccount": account,
        "aws:resourceaccount": account,
        "aws:requestedregion": region,
        "aws:securetransport": "true",
        "aws:principaltype": "AssumedRole",
        **{key.lower(): value for key, value in (service_context or {}).items() if value is not None},
        **{f"aws:principaltag/{tag['Key'].lower()}": tag["Value"] for tag in role.get("Tags") or []},
    }
    if "Arn" in role:
        context["aws:principalarn"] = role["Arn"]
    return Request(
        action, names if exact else (), str(role.get("Arn", "")), "", context, _ALSO.get(action, ())
    )


def _is_denied(request: Request, service: str, resource_arn: str, session: Mapping[str, Any]) -> bool:
    role = _role(session)
    if role is None:
        return not deploying.is_unknown_role(session["Arn"].split("/")[1])  # else it was deleted
    account = session["Arn"].split(":")[4]
    documents = [*(role.get("InlinePolicies") or {}).values()]
    for arn in role.get("AttachedPolicies", []):
        document = iam_evaluator._resolve_managed_policy_document(arn, account)
        if document is None and iam._is_aws_managed_arn(arn):
            return False
        documents.append(document)
    boundary = role.get("PermissionsBoundary")
    boundary = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, Mapping) else boundary
    limits = [iam_evaluator._resolve_managed_policy_document(boundary, account)] if boundary else []
    passed = session.get("SessionPolicies")
    if passed:
        limits.append(passed.get("Policy") or None)
    found = iam_evaluator._resource_policy(service, resource_arn)
    decision = policies.decide(
        [statement for document in documents for statement in policies.statements(document)],
        request,
        resource=policies.statements(found[0] if found else None),
        limits=[policies.statements(document) for document in limits if document],
    )
    return decision is False


def _role(session: Mapping[str, Any]) -> dict[str, Any] | None:
    account, name = session["Arn"].split(":")[4], session["Arn"].split("/")[1]
    found = iam._roles.get_scoped(account, None, name)
    return found if isinstance(found, dict) else None


def _with_other_names(extract: Callable[..., str]) -> Callable[..., str]:
    """Remember by which other names AWS may know the resource of a request."""

    def extracted(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        """Find the action and the resource of a request, with the corrections of this module."""
        arn = extract(service, method, path, headers, body, query_params, region, account_id)
        names = [arn]
        if service == "s3":  # MiniStack leaves out an empty part of a key: `folder/`, `a//b`
            names.append(f"arn:aws:s3:::{path.lstrip('/')}")
        elif service == "lambda":
            qualifier = query_params.get("Qualifier") or [""]
            qualifier = qualifier[0] if isinstance(qualifier, list) else qualifier
            names += [f"{arn}:{qualifier}"] if qualifier else []
        elif service == "events":
            names.append(arn.replace(":rule/default/", ":rule/"))
        _names.set((arn, tuple(dict.fromkeys(names))))
        return arn

    return extracted


def _with_resource(respond: Callable[..., Any]) -> Callable[..., Any]:
    """Name the resource of a denied call, as AWS does."""

    def denied(service: str, action: str, principal_arn: str, request_id: str, **options: Any) -> Any:
        """Answer a denied call; the message names the resource, as AWS's does."""
        resource = _denied.get()
        if resource and not options.get("message") and not options.get("error_code"):
            _denied.set("")
            action = _ACTIONS.get(action, action)
            options["message"] = iam_actions.identity_denial_message(
                action, principal_arn, resource, bool(options.get("explicit_deny"))
            )
        return respond(service, action, principal_arn, request_id, **options)

    return denied


def _service_may(action: str, policy_of: Callable[[str], Any]) -> Callable[[str, str, str, str], bool]:
    """Whether a queue's or topic's policy lets a service deliver to it."""

    def may(arn: str, service: str, source_arn: str, source_account: str) -> bool:
        """Whether the policy of a resource lets a service act for a source."""
        found = policy_of(arn)
        if found is None:
            return False
        request = Request(
            action,
            (arn,),
            service=service,
            context={
                "aws:sourcearn": source_arn,
                "aws:sourceaccount": source_account,
                "aws:sourceowner": source_account,
                "aws:securetransport": "true",
            },
        )
        document = policies.statements(found[0])
        allowed = policies.allows(document, request, named=True) is not False
        if allowed and policies.refuses(document, request, named=True) is not True:
            return True
        _log.warning("permission denied: %s may not %s on %s (from %s)", service, action, arn, source_arn)
        return False

    return may
