"""What a resilience test has found, as a row of the table at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

console = Console(highlight=False)


@dataclass
class Row:
    """One kind of trial, done so many times.

    Attributes:
        what: the trial.
        guarantee: what must come of it.
        tried: how often it was done.
        fine: how often the guarantee was kept.
        notes: what there is to say; of failures, what was found instead.
        seconds: how long it took in all.
    """

    what: str
    guarantee: str
    tried: int = 0
    fine: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, fine: bool, note: str = "", *, quiet: bool = False) -> None:
        """Count one trial, and say how it went at once; with `quiet` only if it failed."""
        self.tried += 1
        self.fine += fine
        if note and not fine:
            self.notes.append(note)
        if quiet and fine:
            return
        outcome = f"{self.what} {self.tried}: {'fine' if fine else 'FAILED'} {note}"
        console.print(outcome.rstrip(), markup=False, soft_wrap=True)

    @contextmanager
    def timed(self) -> Iterator["Row"]:
        """Measure what happens within."""
        began = time.monotonic()
        try:
            yield self
        finally:
            self.seconds += time.monotonic() - began


def show(rows: list[Row]) -> bool:
    """Print the table; returns whether every guarantee was kept."""
    table = Table("resilience test", "guarantee", "done", "kept", "time", "notes")
    for row in rows:
        minutes, seconds = divmod(round(row.seconds), 60)
        kept = f"{row.fine}" if row.fine == row.tried else f"[bold red]{row.fine}[/]"
        table.add_row(
            row.what,
            row.guarantee,
            str(row.tried),
            kept,
            f"{minutes}:{seconds:02d}",
            "; ".join(row.notes[:3]),
        )
    console.print(table)
    return bool(rows) and all(row.tried and row.fine == row.tried for row in rows)


@dataclass(frozen=True)
class Options:
    """How much of each resilience test; the defaults are what is guaranteed.

    Attributes:
        seed: of all moments and texts.
        kills: how often each victim is killed in each stage.
        events: how many go through injected faults.
        sessions: how many reuse one deployment.
        cycles: how many apply, test and destroy.
        signals: how many sessions get signals at random moments.
        only: of the kills, only those whose name has this text; empty: all.
    """

    seed: int = 1
    kills: int = 20
    events: int = 500
    sessions: int = 200
    cycles: int = 20
    signals: int = 3000
    only: str = ""

    def wants(self, what: str) -> bool:
        """Whether a kill of this name is asked for."""
        return self.only in what
