"""Writes the results of all benchmarks: `results.json`, and `results.md` with a plot of each benchmark."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import COLUMNS, Figure, cells, percentile_95
from benchmarks.side_by_side import markdown as table_of_verdicts

PACKAGES = ("event-harness", "boto3", "pytest", "tftest", "ministack")
NO_ROW = (
    "The whole `make test` has no row: it prints its own duration and its ten slowest tests, and would take a"
    " third of the time that all rows may take."
)


@dataclass(frozen=True)
class Results:
    """What was measured.

    Attributes:
        figures: The figures of each benchmark.
        verdicts: The texts of the rows of the comparison case by case.
        seconds: How long each benchmark took.
    """

    figures: dict[str, list[Figure]] = field(default_factory=dict)
    verdicts: list[list[str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def write(measured: Results, folder: Path) -> None:
    """Write everything into a folder."""
    about = {
        "when": datetime.now(UTC).date().isoformat(),
        "seconds": round(sum(measured.seconds.values())),
        **machine(),
    }
    facts = {
        "about": about,
        "seconds": {name: round(seconds) for name, seconds in measured.seconds.items()},
        "benchmarks": {
            name: [
                asdict(figure)
                | {"p95": percentile_95(figure.ours), "broken": figure.broken()}
                | {f"measured {bound}": figure.measured(bound) for bound in figure.bounds}
                for figure in figures
            ]
            for name, figures in measured.figures.items()
        },
        "verdicts": measured.verdicts,
    }
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (folder / "results.md").write_text(markdown(measured, about), encoding="utf-8")


def earlier(folder: Path) -> Results:
    """What `write` has written before."""
    file = folder / "results.json"
    if not file.exists():
        return Results()
    facts = json.loads(file.read_text(encoding="utf-8"))
    known = {one.name for one in fields(Figure)}
    figures = {
        name: [Figure(**{key: value for key, value in one.items() if key in known}) for one in figures]
        for name, figures in facts["benchmarks"].items()
    }
    return Results(figures, facts.get("verdicts", []), facts.get("seconds", {}))


def machine() -> dict[str, Any]:
    """The machine, and the versions of what is measured."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "machine": f"{platform.system()} {platform.machine()}, {cpus} CPUs",
        "python": platform.python_version(),
        "commit": _commit(),
        **{name: version(name) for name in PACKAGES},
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 (the user's own git)
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def markdown(measured: Results, about: Mapping[str, Any]) -> str:
    """All figures as one page."""
    lines = [
        "# Results of `make bench`",
        "",
        "Both sides ran in turn, in the same run. `p95` is the 95th percentile, of few values the largest.",
        "A ratio is ours / reference: first of the medians, then of the 95th percentiles.",
        "",
        "; ".join(f"{name} {value}" for name, value in about.items()),
        "",
        "Seconds: "
        + ", ".join(f"{name.replace('_', ' ')} {value:.0f}" for name, value in measured.seconds.items())
        + f". {NO_ROW}",
    ]
    for name, figures in measured.figures.items():
        against = sorted({figure.against for figure in figures if figure.against})
        lines += ["", f"## {name.replace('_', ' ')}", ""]
        lines += [f"Reference: {'; '.join(against)}.", ""] if against else []
        lines += [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
        lines += [f"| {' | '.join(cells(figure))} |" for figure in figures]
        lines += plot(name, figures)
    if measured.verdicts:
        lines += ["", "## side by side", "", *table_of_verdicts(measured.verdicts)]
    return "\n".join(lines) + "\n"


def plot(name: str, figures: Sequence[Figure]) -> list[str]:
    """A Mermaid chart of our medians, as a share of the reference, else of the bound."""
    shares = {figure.title: share for figure in figures if (share := _share(figure)) is not None}
    if not shares:
        return []
    titles = ", ".join(json.dumps(title, ensure_ascii=False) for title in shares)
    return [
        "",
        "```mermaid",
        "xychart-beta horizontal",
        f'    title "{name.replace("_", " ")}: ours, as a share of the reference or of the bound"',
        f"    x-axis [{titles}]",
        f'    y-axis "share" 0 --> {max(1.0, *shares.values()):.2f}',
        f"    bar [{', '.join(f'{share:.3f}' for share in shares.values())}]",
        "```",
    ]


def _share(figure: Figure) -> float | None:
    if figure.reference:
        return figure.measured("median ratio")
    return next((figure.measured(name) / most for name, most in figure.bounds.items()), None)


if __name__ == "__main__":
    sys.exit("run `make bench`")
