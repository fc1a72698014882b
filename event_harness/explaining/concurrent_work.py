"""Does several pieces of work at once, within a budget of time."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from event_harness.machine.clock import monotonic

T = TypeVar("T")
Work = Sequence[tuple[str, Callable[[], T]]]


def gathered(work: Work[T], budget: float, unknown: Callable[[str, Exception | None], T]) -> list[T]:
    """Do all work at once and return the answers in its order.

    Args:
        work: Name and action of each piece.
        budget: Seconds for all of it.
        unknown: Makes the answer of a piece that raised, or that was late (None).
    """
    done: queue.Queue[tuple[int, T]] = queue.Queue()

    def run(number: int, name: str, ask: Callable[[], T]) -> None:
        """Do one piece of work and pass on what came of it."""
        try:
            done.put((number, ask()))
        except Exception as error:
            done.put((number, unknown(name, error)))

    for number, (name, ask) in enumerate(work):
        # Daemon threads: a probe that hangs must not keep the test or the process waiting.
        threading.Thread(
            target=run, args=(number, name, ask), name=f"event-harness-{name}", daemon=True
        ).start()
    answers: dict[int, T] = {}
    deadline = monotonic() + budget
    while len(answers) < len(work):
        try:
            number, answer = done.get(timeout=max(0.0, deadline - monotonic()))
        except queue.Empty:
            break
        answers[number] = answer
    return [
        answers[number] if number in answers else unknown(name, None) for number, (name, _) in enumerate(work)
    ]
