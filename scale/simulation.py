"""Simulates the way of many events through AWS, second by second.

Inputs arrive at a rate. The system's functions and the listener share the account's concurrency, which
grows by 1,000 a function in ten seconds. The listener writes each result to the shard of its event id.
DynamoDB takes 1,000 write units a second for each shard, and 4,000 for a new table, which doubles in 30
minutes. A write that is throttled three times makes its invocation fail. Lambda tries again after one and
two minutes. Then the event is in the failure queue.
"""

import random
from collections import Counter
from dataclasses import dataclass

from scale import limits
from scale.session import Session

_ATTEMPTS = 3  # of one invocation: the listener's client tries that often
_DOUBLES = 30 * 60  # seconds in which a new table doubles what it takes
_RETRIES = (60, 120)  # seconds until Lambda invokes again


@dataclass
class Outcome:
    """What became of a session.

    Attributes:
        stored: Results in the table.
        lost: Events in the listener's failure queue.
        throttled: Writes that DynamoDB refused.
        seconds: From the first input to the last result, or to the last loss.
        latest: Seconds that the slowest result took from its input.
        busiest: Share of all results that the fullest shard holds.
        waiting: The most inputs that waited for a free invocation.
    """

    stored: int = 0
    lost: int = 0
    throttled: int = 0
    seconds: int = 0
    latest: int = 0
    busiest: float = 0.0
    waiting: int = 0


def simulate(session: Session, *, seed: int = 0) -> Outcome:
    """Send the events of a session through the simulated chain.

    Args:
        session: What is sent, and how the account is set up.
        seed: Of the random numbers that spread events over shards.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret depends on it)
    outcome = Outcome()
    shards: Counter[int] = Counter()
    queue: list[tuple[int, int]] = []  # (second of the input, amount) that wait for an invocation
    due: dict[int, list[tuple[int, int, int]]] = {}  # second -> (second of the input, attempt, amount)
    sent, owed, now = 0, 0.0, 0
    while sent < session.events or queue or due:
        owed += min(session.rate, session.events - sent)
        amount = min(int(owed), session.events - sent)
        owed -= amount
        sent += amount
        if amount:
            queue.append((now, amount))
        free = _invocations(session, now)
        ready: list[tuple[int, int, int]] = due.pop(now, [])
        while queue and free > 0:
            began, waiting = queue.pop(0)
            taken = min(waiting, free)
            free -= taken
            ready.append((began, 0, taken))
            if taken < waiting:
                queue.insert(0, (began, waiting - taken))
        outcome.waiting = max(outcome.waiting, sum(waiting for _, waiting in queue))
        left = [limits.PARTITION_WRITES] * session.shards
        table = limits.NEW_TABLE_WRITES * 2 ** (now // _DOUBLES)
        for began, attempt, many in ready:
            for _ in range(many):
                shard = chance.randrange(session.shards)
                if min(left[shard], table) >= session.units_per_write:
                    left[shard] -= session.units_per_write
                    table -= session.units_per_write
                    shards[shard] += 1
                    outcome.stored += 1
                    outcome.latest = max(outcome.latest, now - began)
                    outcome.seconds = now + 1
                    continue
                outcome.throttled += 1
                _again(due, now, began, attempt, outcome)
        now += 1
    outcome.busiest = max(shards.values(), default=0) / max(1, outcome.stored)
    return outcome


def _invocations(session: Session, now: int) -> int:
    """Invocations of the listener that may begin in this second."""
    scaled = limits.SCALING * (now // 10 + 1)
    share = min(session.concurrency // (session.functions + 1), scaled)
    return max(1, int(share / session.seconds))


def _again(
    due: dict[int, list[tuple[int, int, int]]], now: int, began: int, attempt: int, outcome: Outcome
) -> None:
    """Plan the next attempt of one event: in the same invocation, by Lambda, or none."""
    tried = attempt + 1
    if tried % _ATTEMPTS:
        when = now + 1
    elif tried // _ATTEMPTS <= len(_RETRIES):
        when = now + _RETRIES[tried // _ATTEMPTS - 1]
    else:
        outcome.lost += 1
        outcome.seconds = now + 1
        return
    due.setdefault(when, []).append((began, tried, 1))
