"""What a benchmark measures: our figures beside those of a reference, and what they must reach.

A benchmark is a module with `measure(quick)`. Both sides run in turn in the same run, so that a busy machine
disturbs both alike.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

BOUNDS = {
    "median ratio": "ours / reference, medians",
    "mean ratio": "ours / reference, means",
    "p95 ratio": "ours / reference, 95th percentiles",
    "median": "our median",
    "most": "our largest value",
}
"""What a bound may limit."""


@dataclass(frozen=True)
class Figure:
    """One row of the results.

    Attributes:
        row: What is measured.
        case: Under which condition; may be empty.
        unit: Unit of the values: ms, s, MB, reads…
        ours: Our values, one for each sample.
        reference: Those of the reference; empty if there is none.
        against: What the reference is.
        bounds: What may be at most how much, by the names in `BOUNDS`.
    """

    row: str
    case: str
    unit: str
    ours: Sequence[float]
    reference: Sequence[float] = ()
    against: str = ""
    bounds: Mapping[str, float] = field(default_factory=dict)

    def measured(self, name: str) -> float:
        """What a bound limits. A ratio to a reference of 0 is infinite."""
        match name:
            case "median ratio":
                return _ratio(statistics.median(self.ours), statistics.median(self.reference))
            case "mean ratio":
                return _ratio(statistics.mean(self.ours), statistics.mean(self.reference))
            case "p95 ratio":
                return _ratio(percentile_95(self.ours), percentile_95(self.reference))
            case "median":
                return statistics.median(self.ours)
            case "most":
                return max(self.ours)
        raise ValueError(f"bound {name!r}: must be one of {', '.join(BOUNDS)}")

    def broken(self) -> list[str]:
        """The bounds that the figure breaks, in words."""
        return [
            f"{self.title}: {name} is {self.measured(name):.3g}, must be at most {most:g}"
            for name, most in self.bounds.items()
            if self.measured(name) > most
        ]

    @property
    def title(self) -> str:
        """Row and case."""
        return f"{self.row}, {self.case}" if self.case else self.row


def percentile_95(values: Sequence[float]) -> float:
    """The 95th percentile; of few values the largest."""
    return statistics.quantiles(values, n=20)[-1] if len(values) >= 20 else max(values)


def run(measure: Callable[[bool], list[Figure]], description: str | None) -> int:
    """The main function of a benchmark: measure, print, and write JSON if asked.

    Returns:
        1 if a bound is broken, unless the benchmark is quick: a quick one only shows that it works.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few and short, to see that it works")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    figures = measure(options.quick)
    Console(width=None if sys.stdout.isatty() else 140).print(table(figures))
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures]), encoding="utf-8")
    broken = [line for figure in figures for line in figure.broken()]
    if options.quick:
        return 0
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


def read(path: Path) -> list[Figure]:
    """Read the figures that `run` wrote."""
    return [Figure(**one) for one in json.loads(path.read_text(encoding="utf-8"))]


COLUMNS = ("what", "unit", "ours: median", "p95", "reference: median", "p95", "ratios", "must be at most")


def table(figures: Sequence[Figure]) -> Table:
    """The figures as a table for a terminal."""
    shown = Table(*COLUMNS)
    for figure in figures:
        shown.add_row(*cells(figure))
    return shown


def cells(figure: Figure) -> Iterator[str]:
    """The texts of a row."""
    yield figure.title
    yield figure.unit
    for values in (figure.ours, figure.reference):
        yield f"{statistics.median(values):.3g}" if values else ""
        yield f"{percentile_95(values):.3g}" if values else ""
    ratios = ("median ratio", "p95 ratio") if figure.reference else ()
    yield ", ".join(f"{figure.measured(name):.3f}" for name in ratios)
    yield ", ".join(
        f"{name} {most:g}{' (NO)' if figure.measured(name) > most else ''}"
        for name, most in figure.bounds.items()
    )


def _ratio(ours: float, reference: float) -> float:
    return ours / reference if reference else float("inf") if ours else 0.0
