"""Writes the figures of `docs/comparison.md` from the results, so that both always say the same.

`make bench` does that by itself, `python -m benchmarks.comparison_page` alone. The figures are tables between
two comments: `<!-- figures: NAME -->` and `<!-- end of figures -->`.
"""

import re
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import results
from benchmarks.figures import percentile_95
from benchmarks.results import Results
from benchmarks.side_by_side import markdown as table_of_verdicts

ROOT = Path(__file__).parents[1]
PAGE = Path("docs", "comparison.md")
FIGURES = re.compile(r"(<!-- figures: ([\w ]+) -->\n).*?(<!-- end of figures -->\n)", re.DOTALL)


def renew(root: Path, measured: Results) -> None:
    """Write the figures of the page of a project anew, if it has the page."""
    page = root / PAGE
    if page.exists():
        page.write_text(renewed(page.read_text(encoding="utf-8"), measured), encoding="utf-8")


def renewed(text: str, measured: Results) -> str:
    """The text of the page with the figures of these results. A table that nothing was measured for stays."""

    def table(found: re.Match[str]) -> str:
        lines = TABLES[found[2]](measured)
        return (
            f"{found[1]}\n" + "".join(f"{line}\n" for line in lines) + f"\n{found[3]}" if lines else found[0]
        )

    return FIGURES.sub(table, text)


def _verdicts(measured: Results) -> list[str]:
    return table_of_verdicts(measured.verdicts) if measured.verdicts else []


def _waits(measured: Results) -> list[str]:
    return _table(
        ["", "`wait_for`: median", "95th percentile", "the sample's poll loop: median", "95th percentile"],
        [
            [
                figure.title,
                *_median_and_p95(figure.ours, figure.unit),
                *_median_and_p95(figure.reference, figure.unit),
            ]
            for figure in measured.figures.get("over_wait", [])
        ],
    )


def _reads(measured: Results) -> list[str]:
    rows: dict[str, list[str]] = {}
    for figure in measured.figures.get("reads", []):
        if figure.row == "reads a second, poll loop":
            # A thread for each wait that looks as often: too much for 1,000 waits.
            number = figure.case.partition(" ")[0]
            rows[figure.case] = [number, _value(figure.ours), "", _value(figure.reference)]
    for figure in measured.figures.get("reads", []):
        if figure.row == "reads a second":
            rows[figure.case][2] = _value(figure.reference)
    return _table(
        [
            "waits in flight",
            "`wait_for`",
            "a thread for each wait that looks as often",
            "the sample's poll loop",
        ],
        list(rows.values()),
    )


def _texts(measured: Results) -> list[str]:
    figures = {(figure.row, figure.case): figure for figure in measured.figures.get("text_processor", [])}
    return _table(
        ["object", "streamed (here): time", "peak over idle", "at once (the sample): time", "peak over idle"],
        [
            [
                case,
                *(
                    text
                    for side in ("ours", "reference")
                    for text in (
                        f"{_value(getattr(figure, side), 3)} s",
                        f"{_value(getattr(figures['text processor, memory over idle', case], side))} MB",
                    )
                ),
            ]
            for (row, case), figure in figures.items()
            if row == "text processor, time"
        ],
    )


def _start(measured: Results) -> list[str]:
    return _table(
        ["", "measured", "at most"],
        [
            [figure.title, f"{_value(figure.ours)} ms", f"{figure.bounds['median']:g} ms"]
            for figure in measured.figures.get("start_up", [])
        ],
    )


TABLES: dict[str, Callable[[Results], list[str]]] = {
    "verdicts": _verdicts,
    "waits": _waits,
    "reads": _reads,
    "texts": _texts,
    "start": _start,
}
"""The lines of each table."""


def _median_and_p95(values: Sequence[float], unit: str) -> list[str]:
    ending = " ms" if unit == "ms" else ""
    return [f"{_value(values)}{ending}", f"{_value([percentile_95(values)])}{ending}"]


def _value(values: Sequence[float], digits: int = 1) -> str:
    """The median; large ones without a fraction."""
    median = statistics.median(values)
    return f"{median:,.0f}" if median >= 100 else f"{median:.{digits}f}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)] if rows else []


if __name__ == "__main__":
    renew(ROOT, results.earlier(ROOT / "benchmarks"))
