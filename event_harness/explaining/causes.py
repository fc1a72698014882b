"""Chooses the finding that a person should look at first: the likely cause."""

from collections.abc import Sequence

from event_harness.explaining.report import Finding
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.system.resources import Component

UNMATCHED = "unmatched result"
"""Name of the finding about results whose correlation id no input has."""


def likely_cause(
    findings: Sequence[Finding],
    components: Sequence[Component],
    *,
    failed: Sequence[Failure],
    mine: Sequence[Result],
    misses: Sequence[tuple[Result, str]],
    silent: Sequence[str],
) -> str:
    """The likely cause, in one sentence.

    Args:
        findings: The findings of the components, in order, then the listener's, then all others.
        components: The components of the system, in the order of the event's path.
        failed: Failures of the input.
        mine: Results of the input.
        misses: Results that were not accepted, each with the reason; the nearest last.
        silent: Sources without a result of the input, if other sources have one.
    """
    if failed:
        return str(failed[-1])
    nothing = f"nothing came from {', '.join(silent)} (should it?)" if silent else ""
    # Every component before the last sighting did its part, unless the path forks.
    way = len(components) + 1
    oks = (number for number, finding in enumerate(findings[:way]) if finding.state == "ok")
    seen = -1 if silent else max(oks, default=-1)
    near = next((finding for finding in findings[way:] if finding.component == UNMATCHED), None)
    if near and not any(finding.sure for finding in findings[seen + 1 : way]):
        cause = near.cause
    else:
        rest = (finding.cause for finding in [*findings[way:], *findings[seen + 1 : way]] if finding.cause)
        cause = _fault(findings[:way], components, seen) or next(rest, None)
    elsewhere = f"{nothing}: {cause}" if nothing and cause else nothing
    if misses:
        nearest, reason = misses[-1]
        told = f"a result came from {nearest.source}, but not the one awaited: {headline(reason)}"
        return f"{told}; {elsewhere}" if elsewhere else told
    return elsewhere or cause or _none(findings, seen, len(mine))


def headline(reason: str) -> str:
    """The first line of a reason."""
    return reason.partition("\n")[0]


def _fault(way: Sequence[Finding], components: Sequence[Component], seen: int) -> str | None:
    """The fault after component number `seen`; None if there is none."""
    causes = [finding for finding in way[seen + 1 :] if finding.cause]
    faults = [finding for finding in causes if finding.state == "bad"]
    if not faults:
        return None
    bad = next((finding for finding in faults if finding.sure), faults[0])
    if bad.missed and bad is way[-1] and 0 <= seen < len(components) and components[seen].type == "lambda":
        last = f" (its last line: {way[seen].details[-1]})" if way[seen].details else ""
        return (
            f"{way[seen].component} ran without an error, but nothing of this input came out of it:"
            f" did it decide to write nothing{last}, or is what it writes to not listened to?"
        )
    if bad.sure:
        return str(bad.cause)
    # A silent function may be the reason that nothing follows it; facts come first.
    guesses = [str(finding.cause) for finding in causes[: causes.index(bad)]]
    return "; ".join([*guesses, str(bad.cause)] if bad.missed else [str(bad.cause), *guesses])


def _none(findings: Sequence[Finding], seen: int, came: int) -> str:
    unknown = [finding.component for finding in findings if finding.state == "unknown"]
    if unknown:
        return f"none found; not known: {', '.join(unknown)}"
    if came:
        results = "1 result" if came == 1 else f"{came} results"
        return f"none found: {results} of this input came; more may need longer, or never come"
    where = f" after {findings[seen].component}, where it was seen," if seen >= 0 else ""
    return f"none found: no component{where} shows a fault; the event may need longer than this"
