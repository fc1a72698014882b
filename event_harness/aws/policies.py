"""Decides what IAM policies say about a request, in three values: yes, no, or not known.

The emulator and the harness don't know everything that AWS knows of a request. Whoever asks takes "not
known" as allowed: a system that works on AWS must not fail because of what we don't know.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

Answer = bool | None
"""True, False, or None: not known."""

# AWS gives these only to a request that a service makes in its own name, never to one of a role.
_OF_SERVICES = {
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
}


class Like(str):
    """A text of which only a pattern is known, with `*` for any characters."""

    __slots__ = ()


@dataclass(frozen=True)
class Request:
    """What policies are asked about.

    Attributes:
        action: `sqs:SendMessage`.
        resources: names of the one resource, if it may be written in several ways; empty if it isn't known.
        principal: the ARN of the role that asks; empty for a service.
        service: the service that asks (`sns.amazonaws.com`); empty for a role.
        context: condition keys in lower case, with their values. Every other key is not known; but a request
            of a role has none of `_OF_SERVICES`.
        also: further names that AWS may give the action.
    """

    action: str
    resources: tuple[str, ...] = ()
    principal: str = ""
    service: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def statements(document: str | Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The statements of a policy; none of a text that isn't a policy."""
    if isinstance(document, str):
        try:
            document = json.loads(document if document.lstrip().startswith("{") else unquote(document))
        except ValueError:
            return []
    found = document.get("Statement", []) if isinstance(document, Mapping) else []
    found = [found] if isinstance(found, Mapping) else found
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def allows(policy: Sequence[Mapping[str, Any]], request: Request, *, named: bool = False) -> Answer:
    """Whether a statement allows a request. A refusal by another statement is not looked at.

    Args:
        policy: the statements.
        request: what is asked.
        named: whether they must name the principal: those of a resource's own policy do.
    """
    return _any(_applies(one, request, named) for one in policy if one.get("Effect") == "Allow")


def refuses(policy: Sequence[Mapping[str, Any]], request: Request, *, named: bool = False) -> Answer:
    """Whether a statement refuses a request (`"Effect": "Deny"`). Arguments as for `allows`."""
    return _any(_applies(one, request, named) for one in policy if one.get("Effect") == "Deny")


def decide(
    identity: Sequence[Mapping[str, Any]],
    request: Request,
    *,
    resource: Sequence[Mapping[str, Any]] = (),
    limits: Iterable[Sequence[Mapping[str, Any]]] = (),
) -> Answer:
    """Whether a role may make a request.

    Args:
        identity: the statements of the role's own policies.
        request: what is asked.
        resource: the statements of the resource's own policy, in the same account.
        limits: the statements of a permissions boundary, of session policies.
    """
    limits = list(limits)
    refused = _any(
        [refuses(resource, request, named=True), *(refuses(layer, request) for layer in (identity, *limits))]
    )
    within = _all(allows(layer, request) for layer in limits)
    granted = _any([_all([allows(identity, request), within]), allows(resource, request, named=True)])
    return _all([granted, _not(refused)])


def _applies(statement: Mapping[str, Any], request: Request, named: bool) -> Answer:
    return _all(
        [
            _principal(statement, request) if named else True,
            _action(statement, request),
            _resource(statement, request),
            _conditions(statement.get("Condition"), request),
        ]
    )


def _action(statement: Mapping[str, Any], request: Request) -> Answer:
    given = [request.action, *request.also]
    for key, negated in (("Action", False), ("NotAction", True)):
        if key in statement:
            patterns = [str(one).lower() for one in _listed(statement[key])]
            found = _any(matches(name.lower(), pattern) for name in given for pattern in patterns)
            return _not(found) if negated else found
    return None


def _resource(statement: Mapping[str, Any], request: Request) -> Answer:
    for key, negated in (("Resource", False), ("NotResource", True)):
        if key in statement:
            patterns = [str(one) for one in _listed(statement[key])]
            given = request.resources or (Like("*"),)
            found = _any(matches(name, pattern) for name in given for pattern in patterns)
            return _not(found) if negated else found
    return True  # the trust policy of a role names no resource


def _principal(statement: Mapping[str, Any], request: Request) -> Answer:
    if "NotPrincipal" in statement:
        return None
    principal = statement.get("Principal")
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    if "*" in _listed(principal.get("AWS", [])):
        return True
    if request.service:
        services = [_worldwide(str(one)) for one in _listed(principal.get("Service", []))]
        return _worldwide(request.service) in services
    refused = statement.get("Effect") == "Deny"
    return _any(_is_role(str(one), request.principal, refused) for one in _listed(principal.get("AWS", [])))


def _worldwide(service: str) -> str:
    """The name of a service without a region: `states.eu-west-1.amazonaws.com` is Step Functions, too."""
    return re.sub(r"\.[a-z]{2}(-[a-z]+)+-\d(?=\.amazonaws\.com)", "", service.lower())


def _is_role(named: str, role: str, refused: bool) -> Answer:
    """Whether an AWS principal names a role, or a session of it.

    A refusal of the role's account refuses it to the role, too. A permission of the account doesn't allow it:
    the account passes it on by the role's own policies.
    """
    account = role.split(":")[4] if role.count(":") >= 5 else ""
    if named == role:
        return True
    if named == account or re.fullmatch(rf"arn:[a-z-]+:iam::{account}:root", named):
        return refused
    if ":assumed-role/" in named:
        return None if f":assumed-role/{role.rpartition('/')[2]}/" in named else False
    return False


def _conditions(conditions: Any, request: Request) -> Answer:
    if not conditions:
        return True
    if not isinstance(conditions, Mapping):
        return None
    answers = []
    for operator, keys in conditions.items():
        if not isinstance(keys, Mapping):
            return None
        answers += [
            _condition(str(operator).lower(), str(key).lower(), _listed(value), request)
            for key, value in keys.items()
        ]
    return _all(answers)


def _condition(operator: str, key: str, expected: Sequence[Any], request: Request) -> Answer:
    context = request.context
    if key not in context and key in _OF_SERVICES and request.principal:
        return _without_value(operator, expected)
    if key not in context or operator == "null":
        return (str(expected[0]).lower() == "false") if key in context and expected else None
    operator = operator.removesuffix("ifexists")
    for_all, for_any = operator.startswith("forallvalues:"), operator.startswith("foranyvalue:")
    compare, negated = _OPERATORS.get(operator.rpartition(":")[2], (None, False))
    if compare is None:
        return None
    values = context[key] if isinstance(context[key], (list, tuple)) else [context[key]]
    found = [_any(compare(_text(value), _text(one)) for one in expected) for value in values]
    answers = [_not(one) for one in found] if negated else found
    return _all(answers) if for_all or (negated and not for_any) else _any(answers)


def _without_value(operator: str, expected: Sequence[Any]) -> Answer:
    """What a condition says of a key that a request doesn't have."""
    if operator == "null":
        return str(expected[0]).lower() == "true" if expected else None
    if operator.endswith("ifexists") or operator.startswith("forallvalues:"):
        return True
    compare, negated = _OPERATORS.get(operator.rpartition(":")[2], (None, False))
    return None if compare is None else negated


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _equal(actual: str, expected: str) -> Answer:
    if "${" in expected:
        return None
    if isinstance(actual, Like):
        return None if "*" not in expected and _overlap(str(actual), expected) else False
    return actual == expected


def _like_arn(actual: str, expected: str) -> Answer:
    """Each part of an ARN is compared by itself."""
    kind = type(actual)
    mine, theirs = actual.split(":", 5), expected.split(":", 5)
    if len(theirs) < 6 or len(mine) < 6:
        return None if matches(actual, expected) is not False else False
    return _all(matches(kind(one), other) for one, other in zip(mine, theirs, strict=True))


_OPERATORS = {
    "stringequals": (_equal, False),
    "stringnotequals": (_equal, True),
    "stringequalsignorecase": (lambda one, other: _equal(type(one)(one.lower()), other.lower()), False),
    "stringlike": (lambda one, other: matches(one, other), False),
    "stringnotlike": (lambda one, other: matches(one, other), True),
    "arnequals": (_like_arn, False),
    "arnlike": (_like_arn, False),
    "arnnotequals": (_like_arn, True),
    "arnnotlike": (_like_arn, True),
    "bool": (lambda one, other: _equal(type(one)(one.lower()), other.lower()), False),
}


def matches(text: str, pattern: str) -> Answer:
    """Whether a text, or each text that fits a `Like`, matches a pattern with `*` and `?`."""
    variable = "${" in pattern
    if variable:
        pattern = re.sub(r"\$\{[^}]*\}", "*", pattern)
    if isinstance(text, Like):
        if not variable and _compiled(pattern).fullmatch(text):
            return True
        return None if _overlap(str(text), pattern) else False
    found = _compiled(pattern).fullmatch(text) is not None
    return None if found and variable and pattern != text else found


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "[^*]"}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in pattern), re.DOTALL)


def _overlap(one: str, other: str) -> bool:
    """Whether a text fits both patterns."""
    reached = {0}  # positions in `other`, after the part of `one` that has been read

    def skipped(places: set[int]) -> set[int]:
        """The places that are reached if asterisks stand for nothing."""
        found = set(places)
        for place in places:
            while place < len(other) and other[place] == "*":
                place += 1
                found.add(place)
        return found

    for char in one:
        reached = skipped(reached)
        if char == "*":
            reached = set(range(min(reached, default=len(other) + 1), len(other) + 1))
            continue
        stay = {place for place in reached if place < len(other) and other[place] == "*"}
        go = {place + 1 for place in reached if place < len(other) and other[place] in (char, "?")}
        reached = stay | go
    return len(other) in skipped(reached)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _any(answers: Iterable[Answer]) -> Answer:
    found: Answer = False
    for answer in answers:
        if answer:
            return True
        found = None if answer is None else found
    return found


def _all(answers: Iterable[Answer]) -> Answer:
    found: Answer = True
    for answer in answers:
        if answer is False:
            return False
        found = None if answer is None else found
    return found


def _not(answer: Answer) -> Answer:
    return None if answer is None else not answer
