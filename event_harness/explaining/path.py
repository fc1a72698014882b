"""Makes one account of an input's path out of what each component says by itself.

A probe sees its own component only. Held together, one finding tells about another: where a later component
has seen the input, an earlier one has passed it on; behind the place where it failed, nothing is reached. No
two findings of a path contradict each other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from event_harness.explaining.probes.asking import Seen
from event_harness.explaining.report import Finding
from event_harness.explaining.ways import Ways, links_of
from event_harness.explaining.wiring import is_linked, stops
from event_harness.results.failure import Failure
from event_harness.system.resources import Component


def account(
    ways: Ways, seen: Sequence[Seen], failures: Mapping[str, Failure], *, resulted: bool
) -> list[Finding]:
    """The findings of a path, each in the light of the others.

    Args:
        ways: The components from where the input was sent to, the listener last, and how they are connected.
        seen: The answer of each.
        failures: Name of a component -> the newest failure message of this input that names it.
        resulted: Every source has a result of the input.
    """
    path = ways.path
    findings = [
        _failed(answer.finding, failures[answer.finding.component])
        if answer.finding.component in failures
        else answer.finding
        for answer in seen
    ]
    findings = _busy(path, seen, findings)
    # A result that came by one way says nothing of the others; a list has only one.
    everything = resulted and not ways.by_graph
    passed = set(range(len(path))) if everything else _passed_by(ways, findings, resulted=resulted)
    for number in passed:
        one = findings[number]
        if one.ended:
            continue  # what called the components behind it has failed with them, or after them
        findings[number] = _failed_after_all(one) if one.component in failures else _passed(one)
    stopped: list[int] = []
    for number in range(len(path)):
        if number in passed or findings[number].state == "ok":
            continue
        if number and number not in ways.reached(stopped):
            stop = findings[_nearest(ways, number, stopped)]
            given_up = [one for one in stopped if ways.path[one].name in failures]
            open_ = number not in ways.reached() or number in ways.reached(given_up)
            findings[number] = _behind(findings[number], stop, given_up=not open_)
        elif not findings[number].here and findings[number].state != "running":
            findings[number] = _explained(ways, seen, findings, number, stopped)
        # What answers or ends with an error may have called those behind it before.
        if findings[number].state in ("failed", "running", "not reached") and not findings[number].ended:
            stopped.append(number)
    for number, machine in ways.called.items():
        if findings[number].state == "failed" and findings[machine].state == "ok":
            findings[number] = _handled(findings[number], findings[machine])
    findings = [_filtering(ways, answer, one) for answer, one in zip(seen, findings, strict=True)]
    return [_unconnected(ways, seen, number, one) for number, one in enumerate(findings)]


def told_aside(finding: Finding, awaited: Collection[str]) -> Finding:
    """A finding of a component that doesn't lead to the awaited sources: its fault doesn't matter to them."""
    if finding.state not in ("failed", "running"):
        return finding
    said = f"{finding.text}; it does not lead to {', '.join(sorted(awaited))}, which is awaited"
    return replace(finding, text=said, cause=None)


def last_seen(findings: Sequence[Finding]) -> int:
    """The number of the last component where the input is known to have been; -1 if there is none."""
    return max((number for number, one in enumerate(findings) if one.state == "ok"), default=-1)


def _passed_by(ways: Ways, findings: Sequence[Finding], *, resulted: bool) -> set[int]:
    """The components that the input has passed: those without which it could not be where it was seen."""
    been = [number for number, one in enumerate(findings) if one.state == "ok" or one.here]
    if resulted:
        been.append(len(findings) - 1)
    reached = ways.reached()
    passed = {number for number in been if findings[number].state == "ok"}
    for number in range(len(findings)):
        without = ways.reached([number])
        if any(other != number and other in reached and other not in without for other in been):
            passed.add(number)
    return passed


def _nearest(ways: Ways, number: int, stopped: Sequence[int]) -> int:
    """The component that keeps the input from this one: the last one that does so alone."""
    alone = (stop for stop in reversed(stopped) if number not in ways.reached([stop]))
    return next(alone, stopped[-1])


def _failed(finding: Finding, failure: Failure) -> Finding:
    """A component whose failure message is there; its log lines stay."""
    text = str(failure).removeprefix(f"{failure.component} ").removeprefix("failed ").removeprefix("failed: ")
    cause = str(failure)
    return Finding(finding.component, "failed", text, finding.details, cause, certain=True, here=True)


def _failed_after_all(finding: Finding) -> Finding:
    """A component that failed in the end, although a later one has seen the input."""
    return replace(finding, text=f"{finding.text}; a later component has seen the input all the same")


def _handled(finding: Finding, machine: Finding) -> Finding:
    """A function that failed, and whose state machine went on."""
    return replace(finding, text=f"{finding.text}; {machine.component} went on all the same", cause=None)


def _filtering(ways: Ways, answer: Seen, finding: Finding) -> Finding:
    """A component that doesn't tell whether it has passed the input on: what alone it lets pass."""
    if finding.state != "unknown":
        return finding
    links = [one for one in links_of(answer) if one.filter and any(map(one.leads_to, ways.path))]
    if not links:
        return finding
    told = f"its {links[0].kind} passes only {links[0].filter}"
    return replace(finding, text=f"{finding.text}; {told}", passes=told)


def _busy(path: Sequence[Component], seen: Sequence[Seen], findings: Sequence[Finding]) -> list[Finding]:
    """A function that nothing is known of works on the message of its queue that is in flight."""
    busy = list(findings)
    for at, (source, answer) in enumerate(zip(path, seen, strict=True)):
        if source.type != "sqs" or answer.finding.state != "running":
            continue
        for number, component in enumerate(path):
            if not any(link.leads_to(component) for link in links_of(answer)):
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


def _behind(finding: Finding, stop: Finding, *, given_up: bool) -> Finding:
    """A component behind the one where the input stopped.

    Args:
        finding: Of the component.
        stop: Of the one where the input stopped.
        given_up: A component on its way has given the input up, so that no retry is to come.
    """
    if given_up and finding.state == "running" and not finding.here:  # other processes send inputs, too
        said = f"not reached: {stop.component} {_verb(stop)}; it is running, perhaps for another input"
        return Finding(finding.component, "not reached", said)
    if finding.state == "failed" and not finding.here and stop.state == "not reached" and stop.cause:
        return replace(finding, cause=None, certain=False)  # whatever failed, it wasn't this input
    if finding.state != "unknown":
        return finding
    said = f"not reached: {stop.component} {_verb(stop)}"
    return Finding(finding.component, "not reached", said)


def _verb(stop: Finding) -> str:
    return {"failed": "failed", "running": "has not ended"}.get(stop.state, "was not reached")


def _explained(
    ways: Ways, seen: Sequence[Seen], findings: Sequence[Finding], number: int, stopped: Collection[int]
) -> Finding:
    """A component that the input may not have come to: what lies between it and those before it."""
    finding, component = findings[number], ways.path[number]
    open_ = ways.reached(stopped)
    before = [one for one in ways.before(number) if one in open_ and one not in stopped]
    told = [(one, _reason(ways.path[one], seen[one], component)) for one in before]
    if told and all(reason for _, reason in told):
        one, reason = next((one for one in told if _sure(seen[one[0]], component)), told[0])
        text = f"{findings[one].component}: {reason}"
        certain = _sure(seen[one], component)
        if finding.state == "failed":
            return replace(
                finding, state="not reached", text=f"{text}; besides, it {finding.text}", cause=text
            )
        return Finding(finding.component, "not reached", text, finding.details, cause=text, certain=certain)
    if finding.state != "not reached":
        return finding
    for one in before:
        through = next((link for link in links_of(seen[one]) if link.leads_to(component)), None)
        if through is None:
            continue
        source = findings[one].component
        if through.filter:
            text = f"{finding.text}; the {through.kind} of {source} passes only {through.filter}"
        else:
            text = f"{finding.text}, though the {through.kind} of {source} leads to it"
        return replace(finding, text=text)
    return finding


def _unconnected(ways: Ways, seen: Sequence[Seen], number: int, finding: Finding) -> Finding:
    """A function that was not reached; if it is known that no connection leads to it, it says so."""
    if finding.state != "not reached" or finding.cause or number in (0, len(ways.path) - 1):
        return finding
    pairs = zip(ways.path[:-1], seen, strict=False)
    others = [answer for component, answer in pairs if component.type != "lambda"]
    known = bool(others) and all(answer.links is not None for answer in others)
    if not known or ways.path[number].type != "lambda" or any(after == number for _, after in ways.sure):
        return finding
    said = "no notification, subscription, rule or event source mapping of a component leads to it"
    return replace(finding, text=f"{finding.text}; {said}")


def _reason(source: Component, answer: Seen, component: Component) -> str | None:
    """Why nothing leads from one component to another; None if something does, or if that isn't known."""
    if answer.links is None or not is_linked(source, component):
        return None
    return next(stops(list(answer.links), component, source.type), None)


def _sure(answer: Seen, component: Component) -> bool:
    """Whether a connection is known to let this very input not pass."""
    return any(link.unmatched or not link.enabled for link in links_of(answer) if link.leads_to(component))
