"""The figures of the comparison page are those of the committed results. `make bench` writes both.

Alone, `python -m benchmarks.comparison_page` writes those of the page.
"""

from pathlib import Path

from benchmarks.comparison_page import FIGURES, PAGE, TABLES, renewed
from benchmarks.results import earlier

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
RESULTS = earlier(ROOT / "benchmarks")


def test_the_page_has_each_table_of_the_results():
    assert sorted(found[2] for found in FIGURES.finditer(TEXT)) == sorted(TABLES)
    assert all(table(RESULTS) for table in TABLES.values())


def test_the_figures_of_the_page_are_those_of_the_results():
    assert renewed(TEXT, RESULTS) == TEXT
