"""Records each wait in the journal, and shows where its inputs are while it lasts."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from event_harness.listening.outcomes import Collected
from event_harness.results.sent import Sent

F = TypeVar("F", bound=Callable[..., Any])


def recorded(method: F) -> F:
    """Let a listener's method that waits for one input, or for a batch of them, be recorded and shown."""
    batch = method.__name__ == "collect"
    name = "sents" if batch else "sent"

    @functools.wraps(method)
    def call(listener: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the method, and note its wait in the journal."""
        ids: list[str] = []
        if args:
            args = (_noted(args[0], ids, batch=batch), *args[1:])
        elif name in kwargs:
            kwargs[name] = _noted(kwargs[name], ids, batch=batch)
        journal, line = listener.journal, listener.wait_line
        with journal.wait(method.__name__, listener.sla, lambda: ids) as waited, line.during(ids):
            try:
                outcome = method(listener, *args, **kwargs)
            finally:
                waited.queries = listener.reader.queries
            if isinstance(outcome, Collected):
                waited.missing = [sent.correlation_id for sent in outcome.missing]
                waited.failed = [str(key) for key in outcome.failed]
                waited.explanation = outcome.report.full() if outcome.report else ""
            return outcome

    return cast("F", call)


def _noted(given: Any, ids: list[str], *, batch: bool) -> Any:
    """What was given; the ids of its inputs are noted when the wait takes them."""
    if isinstance(given, Sent):
        ids.append(given.correlation_id)
    if batch and isinstance(given, Iterable):
        return _each(given, ids)
    return given


def _each(sents: Iterable[Any], ids: list[str]) -> Iterator[Any]:
    for sent in sents:
        if isinstance(sent, Sent):
            ids.append(sent.correlation_id)
        yield sent
