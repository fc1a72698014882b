"""Makes one account of an input's path out of what each component says by itself.

A probe sees its own component only. Held together, one finding tells about another: where a later component
has seen the input, an earlier one has passed it on; behind the place where it failed, nothing is reached. No
two findings of a path contradict each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from event_harness.explaining.probes.asking import Seen
from event_harness.explaining.report import Finding
from event_harness.explaining.wiring import Link, stops
from event_harness.results.failure import Failure
from event_harness.system.resources import Component


def components_from(components: Sequence[Component], entry: str) -> tuple[Component, ...]:
    """The components from the one that the input was sent to; it has never been at those before it."""
    names = [component.name for component in components]
    return tuple(components[names.index(entry) :] if entry in names else components)


def account(
    path: Sequence[Component],
    seen: Sequence[Seen],
    failures: Mapping[str, Failure],
    *,
    forked: bool,
    resulted: bool,
) -> list[Finding]:
    """The findings of a path, each in the light of the others.

    Args:
        path: The components from where the input was sent to, and the listener.
        seen: The answer of each.
        failures: Name of a component -> the newest failure message of this input that names it.
        forked: The path has branches: a component says nothing about those of another branch.
        resulted: Every source has a result of the input.
    """
    findings = [
        _failed(answer.finding, failures[answer.finding.component])
        if answer.finding.component in failures
        else answer.finding
        for answer in seen
    ]
    findings = _busy(path, seen, findings)
    passed = len(path) if resulted else 0 if forked else _passed_by(findings)
    findings = [
        (_failed_after_all(one) if one.component in failures else _passed(one)) if number < passed else one
        for number, one in enumerate(findings)
    ]
    if forked and not resulted:
        findings = _fed(path, seen, findings)
    stop = next((n for n in range(passed, len(path)) if findings[n].state in ("failed", "running")), None)
    if stop is None:
        stop = _blocked(path, seen, findings, passed)
    if stop is not None and (not forked or _only_way(path, seen, stop)):
        findings[stop + 1 :] = [_behind(one, findings[stop]) for one in findings[stop + 1 :]]
    return _other_branches(path, seen, findings, stop)


def last_seen(findings: Sequence[Finding]) -> int:
    """The number of the last component where the input is known to have been; -1 if there is none."""
    return max((number for number, one in enumerate(findings) if one.state == "ok"), default=-1)


def _passed_by(findings: Sequence[Finding]) -> int:
    """How many components the input has passed: all before the last one where it is known to have been."""
    been = [number for number, one in enumerate(findings) if one.here]
    return max([last_seen(findings) + 1, *been])


def _failed(finding: Finding, failure: Failure) -> Finding:
    """A component whose failure message is there; its log lines stay."""
    text = str(failure).removeprefix(f"{failure.component} ").removeprefix("failed ").removeprefix("failed: ")
    cause = str(failure)
    return Finding(finding.component, "failed", text, finding.details, cause, certain=True, here=True)


def _failed_after_all(finding: Finding) -> Finding:
    """A component that failed in the end, although a later one has seen the input."""
    return replace(finding, text=f"{finding.text}; a later component has seen the input all the same")


def _busy(path: Sequence[Component], seen: Sequence[Seen], findings: Sequence[Finding]) -> list[Finding]:
    """A function that nothing is known of works on the message of its queue that is in flight."""
    busy = list(findings)
    for at, (source, answer) in enumerate(zip(path, seen, strict=True)):
        if source.type != "sqs" or answer.finding.state != "running":
            continue
        for number, component in enumerate(path):
            if not any(link.leads_to(component) for link in _links(answer)):
                continue
            if busy[number].state == "not reached":
                text = f"works on a message of {source.name}, or will try it again; its log has no line yet"
                cause = f"{component.name} is still running: {source.name} has {answer.finding.text}"
                busy[number] = Finding(component.name, "running", text, cause=cause)
            if busy[number].state in ("failed", "running"):  # it tells more than its queue
                busy[at] = replace(busy[at], cause=None)
    return busy


def _passed(finding: Finding) -> Finding:
    """A component before one that has seen the input."""
    if finding.state == "ok":
        return finding
    if finding.state == "failed" and finding.certain:
        return replace(finding, state="ok", text=f"passed, but first: {finding.text}", cause=None)
    if finding.state == "failed":
        return replace(finding, state="ok", text=f"passed; {finding.text}", cause=None)
    if finding.state == "running" and finding.here:
        return replace(finding, cause=None, certain=False)
    said = f" ({finding.text})" if finding.text.startswith(("ran ", "not known")) else ""
    return replace(finding, state="ok", text=f"passed, as a later component shows{said}", cause=None)


def _fed(path: Sequence[Component], seen: Sequence[Seen], findings: Sequence[Finding]) -> list[Finding]:
    """On a path with branches: a component has passed the input on if only it leads to one that saw it."""
    fed = list(findings)
    for number in reversed(range(len(path))):
        behind = [n for n in range(len(path)) if fed[n].state == "ok" or fed[n].here]
        if any(_feeders(path, seen, n) == [number] for n in behind) and not fed[number].here:
            fed[number] = _passed(fed[number])
    return fed


def _feeders(path: Sequence[Component], seen: Sequence[Seen], number: int) -> list[int]:
    """The components that are connected to this one."""
    return [
        before
        for before, answer in enumerate(seen)
        if any(link.leads_to(path[number]) for link in _links(answer))
    ]


def _only_way(path: Sequence[Component], seen: Sequence[Seen], stop: int) -> bool:
    """Whether nothing branches off before a component, so that all others lie behind it.

    A function may write to any other component; what a function before it writes to isn't known.
    """
    return all(
        path[number].type != "lambda"
        and [n for n in range(len(path)) if number in _feeders(path, seen, n)] == [number + 1]
        for number in range(stop)
    )


def forks(path: Sequence[Component], seen: Sequence[Seen]) -> bool:
    """Whether some component is connected to several others of the path."""
    return any(
        sum(any(link.leads_to(component) for link in _links(answer)) for component in path) > 1
        for answer in seen
    )


def _behind(finding: Finding, stop: Finding) -> Finding:
    """A component behind the one where the input stopped."""
    if finding.state != "unknown":
        return finding
    said = f"not reached: {stop.component} {_verb(stop)}"
    return Finding(finding.component, "not reached", said)


def _verb(stop: Finding) -> str:
    return {"failed": "failed", "running": "has not ended"}.get(stop.state, "was not reached")


def _blocked(
    path: Sequence[Component], seen: Sequence[Seen], findings: list[Finding], passed: int
) -> int | None:
    """The first component after the passed ones that the input did not reach; its finding gets the reason."""
    gap = next((n for n in range(passed, len(path)) if findings[n].state == "not reached"), None)
    end = len(path) - 1 if gap is None else gap
    for number in range(max(passed, 1), end + 1):
        feeder = _feeder(path, seen, number)
        if feeder is None:
            continue
        source, links = findings[feeder].component, _links(seen[feeder])
        reason = next(stops(links, path[number], path[feeder].type), None)
        if reason and (number == gap or findings[number].state == "unknown"):
            findings[number] = Finding(
                findings[number].component,
                "not reached",
                f"{source}: {reason}",
                findings[number].details,
                cause=f"{source}: {reason}",
                certain=_refused(seen[feeder], path[number]),
            )
            return number
        if number == gap:
            through = next(link for link in links if link.leads_to(path[number]))
            passes = f"passes only {through.filter}" if through.filter else "leads to it"
            text = f"{findings[number].text}, though the {through.kind} of {source} {passes}"
            if through.filter:
                text = text.replace(", though the", "; the")
            findings[number] = replace(findings[number], text=text)
    return gap


def _other_branches(
    path: Sequence[Component], seen: Sequence[Seen], findings: Sequence[Finding], stop: int | None
) -> list[Finding]:
    """Say also of the other branches of a component why the input did not come to them."""
    told = list(findings)
    for number in range(len(path)):
        feeder = next((n for n in reversed(_feeders(path, seen, number)) if n < number), None)
        if told[number].state != "not reached" or told[number].cause:
            continue
        if feeder is None:
            told[number] = _unconnected(path, seen, number, told[number])
        if feeder is None or number == stop:
            continue
        reason = next(stops(_links(seen[feeder]), path[number], path[feeder].type), None)
        if reason and told[feeder].state != "not reached":
            said = f"{told[feeder].component}: {reason}"
            told[number] = replace(
                told[number], text=said, cause=said, certain=_refused(seen[feeder], path[number])
            )
    return told


def _unconnected(path: Sequence[Component], seen: Sequence[Seen], number: int, finding: Finding) -> Finding:
    """A function that was not reached; if it is known that no connection leads to it, it says so."""
    others = [
        answer for component, answer in zip(path[:-1], seen, strict=False) if component.type != "lambda"
    ]
    known = bool(others) and all(answer.links is not None for answer in others)
    if not known or path[number].type != "lambda" or number in (0, len(path) - 1):
        return finding
    said = "no notification, subscription, rule or event source mapping of a component leads to it"
    return replace(finding, text=f"{finding.text}; {said}")


def _refused(answer: Seen, component: Component) -> bool:
    """Whether a connection is known not to let this input pass."""
    return any(link.unmatched or not link.enabled for link in _links(answer) if link.leads_to(component))


def _feeder(path: Sequence[Component], seen: Sequence[Seen], number: int) -> int | None:
    """The component that is connected to this one; else the one before it, if it is connected to no other."""
    feeders = [before for before in _feeders(path, seen, number) if before < number]
    if feeders:
        return feeders[-1]
    before = number - 1
    if seen[before].links is None or path[before].type == "lambda":
        return None
    elsewhere = any(link.leads_to(component) for link in _links(seen[before]) for component in path)
    return None if elsewhere else before


def _links(answer: Seen) -> list[Link]:
    return list(answer.links or ())
