"""Chooses what a report says first: the cause if it is known, else how far the input got."""

from collections.abc import Collection, Sequence

from event_harness.explaining.denied_calls import PERHAPS
from event_harness.explaining.path import last_seen
from event_harness.explaining.report import Finding
from event_harness.results.failure import Failure
from event_harness.results.result import Result
from event_harness.system.resources import Component


def likely_cause(
    findings: Sequence[Finding],
    path: Sequence[Component],
    remarks: Sequence[Finding],
    *,
    failed: Sequence[Failure],
    mine: Sequence[Result],
    misses: Sequence[tuple[Result, str]],
    silent: Sequence[str],
    branched: bool = False,
    aside: Collection[str] = (),
) -> str:
    """What happened, in one sentence, the component first.

    Args:
        findings: Those of the path, the listener's last.
        path: The components of the path, the listener last.
        remarks: Findings about no component, the most telling first.
        failed: Failures of the input.
        mine: Results of the input.
        misses: Results that were not accepted, each with the reason; the nearest last.
        silent: Sources without a result of the input, if other sources have one.
        branched: Some component of the path leads to several others.
        aside: Components that don't lead to what is awaited.
    """
    pairs = [pair for pair in zip(findings, path, strict=True) if pair[0].component not in aside]
    findings, path = [one for one, _ in pairs], [component for _, component in pairs]
    failed = [failure for failure in failed if failure.component not in aside]
    nothing = f"no result of this input from {', '.join(silent)}" if silent else ""
    if failed:
        told = str(failed[-1])
        if not failed[-1].error and (denied := _denied(findings)):
            told = f"{told}; {denied}"
        return f"{told}; {nothing}" if nothing else told
    cause = _cause(findings, remarks, forked=branched or bool(silent))
    if misses:
        nearest, reason = misses[-1]
        told = f"{nearest.source}: its result is not the one awaited: {headline(reason)}"
        rest = "; ".join(part for part in (nothing, cause or "") if part) if silent else ""
        return f"{told}; {rest}" if rest else told
    if silent:
        missed = next((one for one in findings if one.state == "not reached"), None)
        if missed and not cause:
            cause = f"{missed.component} was not reached: {missed.text}"
        return f"{cause}; {nothing}" if cause else f"{nothing}, and no component shows a fault"
    if cause := cause or (None if mine else _denied(findings)):
        return cause
    if mine:
        results = "1 result" if len(mine) == 1 else f"{len(mine)} results"
        return f"no fault is known: {results} of this input came; more may need longer, or never come"
    return _how_far(findings, path)


def headline(reason: str) -> str:
    """The first line of a reason."""
    return reason.partition("\n")[0]


def _cause(findings: Sequence[Finding], remarks: Sequence[Finding], *, forked: bool) -> str | None:
    """The most telling cause after the component that saw the input last."""
    behind = [one for one in findings[0 if forked else last_seen(findings) + 1 :] if one.cause]
    certain = next((one for one in behind if one.certain and one.state != "running" and not one.ended), None)
    if certain:
        return certain.cause
    # What has called other components tells less than the one of them that failed.
    ended = next((one for one in findings if one.ended and one.cause), None)
    if ended:
        return ended.cause
    told = next((one.cause for one in remarks if one.cause), None)
    if told:
        return told
    for state in ("failed", "running", "not reached", "unknown"):
        if found := next((one.cause for one in behind if one.state == state), None):
            return found
    return None


def _denied(findings: Sequence[Finding]) -> str | None:
    """That a call of a function on the path was denied, perhaps for another input. The function went on."""
    told = (one.cause for one in findings if one.cause and (PERHAPS in one.cause or one.state == "ok"))
    return next(told, None)


def _how_far(findings: Sequence[Finding], path: Sequence[Component]) -> str:
    """How far the input is known to have come, where no cause is known."""
    seen = last_seen(findings)
    gap = next((n for n in range(seen + 1, len(findings)) if findings[n].state == "not reached"), None)
    last = findings[seen] if seen >= 0 else None
    if gap is not None:
        return _gap(findings, path, seen, gap)
    unknown = [one.component for one in findings[seen + 1 :] if one.state == "unknown"]
    if unknown and last:
        return f"{last.component} has seen it; whether it came to {', '.join(unknown)} is not known"
    if unknown:
        return f"no fault is known; whether it came to {', '.join(unknown)} is not known"
    where = f"{last.component}, the last component, has seen it; " if last else ""
    return f"{where}no fault is known; the result may need longer"


def _gap(findings: Sequence[Finding], path: Sequence[Component], seen: int, gap: int) -> str:
    missed = findings[gap].component
    between = [one.component for one in findings[seen + 1 : gap]]
    if between and path[gap - 1].type == "lambda":
        return f"{between[-1]}: {findings[gap - 1].text}; nothing of this input came to {missed}"
    after = f" (after {', '.join(between)})" if between else ""
    if seen < 0:
        return f"{missed} was not reached{after}: {findings[gap].text}"
    last_one = findings[seen]
    if path[seen].type == "lambda":
        filters = "".join(
            f"; {one.component}: {one.passes}" for one in findings[seen + 1 : gap] if one.passes
        )
        line = f"; its last line: {last_one.details[-1]}" if last_one.details else ""
        told = f"{last_one.component} ran without an error, but nothing of it came to {missed}{after}"
        return f"{told}{filters}{line}"
    return f"{missed} was not reached{after}: {findings[gap].text}; {last_one.component} saw it last"
