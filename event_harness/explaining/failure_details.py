"""Completes failure messages from the log of the function that failed: its error, its attempts.

A message that a redrive policy has moved names neither the function nor the error, and one about records of a
stream names no error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from event_harness.aws.errors import AWS_ERRORS
from event_harness.errors import HarnessError
from event_harness.explaining.function_logs import LogView, read_log
from event_harness.explaining.log_lines import Line
from event_harness.explaining.platform_log import why_not_started
from event_harness.explaining.probes.asking import Question
from event_harness.results.failure import ANY_ERROR, Failure
from event_harness.system.resources import Component, function_name


def completed(question: Question, failure: Failure, functions: Sequence[Component]) -> Failure:
    """A failure with the error and the attempts that the function's log tells. IAM: logs:FilterLogEvents.

    Args:
        question: The input.
        failure: Its failure message.
        functions: The functions that may have failed, the likeliest first.
    """
    for number, component in enumerate(functions):
        log = _log_of(question, component, failure)
        if log is None:
            continue
        if log.mine:
            failure = replace(failure, attempts=log.attempts)
        if failure.error:
            return _with_type(failure, log.my_errors)
        if log.last_error:
            failure = replace(failure, of_batch=log.last_error in log.of_batch)
            return _with_error(failure, component, log.last_error)
        if why := _not_started(question, component, log):
            return replace(
                failure, component=component.name, error_type="Runtime.ImportModuleError", error_message=why
            )
        if number == 0 and not log.mine and len({line.told_error for line in log.errors}) == 1:
            return _with_error(failure, component, log.errors[-1])
    return failure


def functions_behind(components: Sequence[Component], failure: Failure) -> list[Component]:
    """The functions that may have failed on a message that became a dead letter, the likeliest first."""
    names = [component.name for component in components]
    start = names.index(failure.component) if failure.component in names else 0
    ordered = [*components[start:], *components[:start]]
    functions = [component for component in ordered if component.type == "lambda" and component.log_group]
    return functions if failure.redriven else [one for one in functions if one.name == failure.component]


def _log_of(question: Question, component: Component, failure: Failure) -> LogView | None:
    try:
        return read_log(
            question.client("logs"),
            str(component.log_group),
            question.since,
            question.sent.correlation_id,
            question.foreign_to(component),
            own=question.own_of(component),
            names=[failure.message_id] if failure.redriven else (),
            ids=question.ids,
            deadline=question.deadline,
        )
    except (HarnessError, *AWS_ERRORS):
        return None


def _not_started(question: Question, component: Component, log: LogView) -> str | None:
    function = function_name(str(component.function))
    if question.platform_log and (why := why_not_started(question.platform_log(), function, question.since)):
        return why
    return log.not_started.told_error if log.not_started else None


def _with_type(failure: Failure, errors: Sequence[Line]) -> Failure:
    """A failure with the exception's type and place, where the message lacks them but the log tells."""
    for line in reversed(errors):
        kind, message = _parts(line.told_error)
        if message == failure.error_message:
            failure = replace(failure, raised_at=failure.raised_at or line.raised_at)
            if kind and failure.error_type == ANY_ERROR:
                return replace(failure, error_type=kind)
    return failure


def _with_error(failure: Failure, component: Component, line: Line) -> Failure:
    kind, message = _parts(line.told_error)
    return replace(
        failure,
        component=component.name,
        error_type=kind,
        error_message=message,
        request_id=line.request_id,
        raised_at=line.raised_at,
    )


def _parts(error: str) -> Iterator[str | None]:
    """Type and text of an error as a traceback ends with it; of another line, the text alone."""
    kind, found, message = error.partition(": ")
    return iter((kind, message) if found and kind.replace(".", "").isidentifier() else (None, error))
