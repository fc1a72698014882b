"""Asks a Lambda function about an input, by its log and by the emulator's own log."""

from dataclasses import replace

from event_harness.explaining.denied_calls import PERHAPS, denied_calls
from event_harness.explaining.function_logs import LogView, read_log
from event_harness.explaining.log_lines import Line, told
from event_harness.explaining.platform_log import running_since, why_not_started
from event_harness.explaining.probes.asking import Question, Seen, count
from event_harness.explaining.report import Finding
from event_harness.results.denied_call import denied_call
from event_harness.results.failure import IN_BATCH
from event_harness.system.resources import Component, function_name

_TELLING = 8  # characters of an id that are no accident


def function(question: Question, component: Component, *, records: bool = False) -> Seen:
    """Ask a function. IAM: logs:FilterLogEvents.

    Args:
        question: The input.
        component: The function.
        records: It is the listener: the ids that its log names are those of events that it recorded.
    """
    log = read_log(
        question.client("logs"),
        str(component.log_group),
        question.since,
        question.sent.correlation_id,
        question.foreign_to(component),
        own=question.own_of(component),
        names=question.names,
        ids=question.ids,
        deadline=question.deadline,
        expected=question.resulted,
        patience=question.patience,
    )
    strange = records and bool(log.strange) and not (log.my_errors or log.elsewhere)
    finding = (
        (None if strange else _of_this_input(component.name, log))
        or _not_started(question, component, log)
        or _of_unmatched_ids(component.name, log, question.sent.correlation_id if records else None)
        or _running(question, component)
        or _of_nobody(component.name, log)
    )
    return Seen(_with_denied_calls(finding, question, component))


def _of_this_input(name: str, log: LogView) -> Finding | None:
    """What lines of the input itself say."""
    mine = told(log.mine)
    if log.last_error:
        error, of_batch = log.last_error.told_error, log.last_error in log.of_batch
        whose = "; other inputs were in the same batch" if of_batch else " of this input"
        text = f"{error} ({count(len(log.my_errors), 'error line')}{whose})"
        cause = f"{name} failed: {_raised(log.last_error)}{IN_BATCH if of_batch else ''}"
        return Finding(name, "failed", text, mine, cause=cause, certain=True, here=True)
    if log.running:
        text = f"still running, since {log.running.at:%H:%M:%S}"
        return Finding(name, "running", text, mine, cause=f"{name} is {text}", certain=True, here=True)
    if log.elsewhere:
        text = f"has it under another correlation id: {log.elsewhere}"
        return Finding(name, "failed", text, mine, cause=f"{name} {text}", certain=True, here=True)
    if log.mine:
        text = f"ran without an error, {count(len(mine), 'log line')} of this input"
        return Finding(name, "ok", text, mine, here=True)
    return None


def _not_started(question: Question, component: Component, log: LogView) -> Finding | None:
    """That the function's code can't be loaded, whatever the input."""
    name, why = component.name, None
    details: tuple[str, ...] = ()
    if question.platform_log:
        why = why_not_started(question.platform_log(), _name_of(component), question.since)
    if why is None and log.not_started:
        why, details = log.not_started.told_error, told([log.not_started])
    if why is None:
        return None
    text = f"can't start: {why}"
    return Finding(name, "failed", text, details, cause=f"{name} {text}", certain=True)


def _of_unmatched_ids(name: str, log: LogView, awaited: str | None) -> Finding | None:
    """What lines that name no input, or an unknown one, say.

    Args:
        name: Of the function.
        log: Its log.
        awaited: The input's correlation id, if the function is the listener.
    """
    if awaited and log.strange:
        part = next((one for one in log.strange if len(one) >= _TELLING and one in awaited), None)
        if part:
            text = f"recorded an event under a part of this input's correlation id: {part}"
            return Finding(name, "failed", text, log.strange, cause=f"{name} {text}")
        many = count(len(log.strange), "event")
        text = f"recorded {many} under an id that no test session made: {log.strange[-1]}"
        hint = "does the system pass the id on, does the source's `correlation` look where it is?"
        return Finding(name, "failed", text, log.strange, cause=f"{name} {text}; {hint}")
    if not log.errors:
        return None
    raised = log.errors[-1].told_error
    text = f"{raised} ({count(len(log.errors), 'error line')} since the send, none names this input)"
    if log.unclear:
        # An invocation without an error and without an id may have been this input's.
        maybe = f"{name} logged an error, perhaps of another input: {_raised(log.errors[-1])}"
        return Finding(name, "unknown", text, told(log.errors), cause=maybe)
    return Finding(name, "failed", text, told(log.errors), cause=f"{name} failed: {_raised(log.errors[-1])}")


def _raised(line: Line) -> str:
    """The error of a line: the call that was denied, or the error with its place in the function's code."""
    error = line.told_error
    return denied_call(error) or (f"{error} ({line.raised_at})" if line.raised_at else error)


def _with_denied_calls(finding: Finding, question: Question, component: Component) -> Finding:
    """A finding with what the emulator has denied to the function, which may have swallowed the error."""
    if not question.platform_log:
        return finding
    denied = denied_calls(question.platform_log(), _name_of(component), question.since)
    if finding.cause:  # another call may have failed first: each that is denied needs its permission
        denied = [one for one in denied if one not in f"{finding.cause} {finding.text}"]
    if not denied:
        return finding
    id_ = question.sent.correlation_id
    mine = next((one for one in denied if question.ids.mentions(one, id_)), None)  # an object's key names it
    cause = finding.cause or f"{component.name}: {mine or f'{PERHAPS}: {denied[-1]}'}"
    details = (*finding.details, *(f"denied since the send: {one}" for one in denied))
    return replace(finding, cause=cause, details=details)


def _running(question: Question, component: Component) -> Finding | None:
    """That the emulator runs the function, whose log will tell only when it has ended."""
    if not question.platform_log:
        return None
    began = running_since(question.platform_log(), _name_of(component), question.since)
    if began is None:
        return None
    text = f"still running, since {began:%H:%M:%S}; its lines come when it ends"
    cause = f"{component.name} is still running, since {began:%H:%M:%S}"
    return Finding(component.name, "running", text, cause=cause)


def _name_of(component: Component) -> str:
    return function_name(str(component.function))


def _of_nobody(name: str, log: LogView) -> Finding:
    """What a log says that names neither this input nor an error."""
    if log.maybe_running:
        text = f"still running, since {log.maybe_running.at:%H:%M:%S}; no line names its input yet"
        return Finding(name, "running", text, cause=f"{name} is {text}")
    if log.unclear:
        text = f"ran {count(log.unclear, 'time')} since the send without an error, no line names an input"
        return Finding(name, "unknown", text)
    if log.invocations:
        text = f"ran {count(log.invocations, 'time')} since the send, for other inputs only"
        return Finding(name, "not reached", text)
    return Finding(name, "not reached", "not invoked since the send")
