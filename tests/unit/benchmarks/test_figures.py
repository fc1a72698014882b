"""The figures of the benchmarks are judged and written as they were measured."""

import ast
import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import results
from benchmarks.figures import Figure, percentile_95, read, run

SOURCES = Path(benchmarks.__file__).parent
GOOD = Figure("over-wait", "after 1 s", "ms", [1, 2, 3], [10, 20, 60], "a poll loop", {"median ratio": 0.1})
BAD = Figure("memory", "", "MB", [99, 101], bounds={"most": 100})


def test_ratios_are_ours_by_the_reference():
    assert GOOD.measured("median ratio") == pytest.approx(0.1)
    assert GOOD.measured("p95 ratio") == pytest.approx(0.05)
    assert (BAD.measured("median"), BAD.measured("most")) == (100, 101)


def test_figure_falls_short_only_above_its_bound():
    assert GOOD.broken() == []
    assert BAD.broken() == ["memory: most is 101, must be at most 100"]


def test_ratio_to_a_reference_of_nothing_is_infinite():
    assert Figure("a", "", "ms", [1], [0]).measured("median ratio") == float("inf")


def test_unknown_bound_is_an_error():
    with pytest.raises(ValueError, match="'mean': must be one of median ratio"):
        Figure("a", "", "ms", [1], bounds={"mean": 1}).broken()


def test_percentile_of_few_values_is_the_largest():
    assert percentile_95([3, 1, 2]) == 3
    assert percentile_95(list(range(1, 101))) == pytest.approx(95.95)


@pytest.mark.parametrize(("quick", "code"), [(False, 1), (True, 0)])
def test_benchmark_fails_by_a_broken_bound_unless_it_is_quick(quick, code, monkeypatch, tmp_path, capsys):
    file = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["bench", "--json", str(file), *(["--quick"] if quick else [])])
    assert run(lambda asked: [GOOD, BAD] if asked is quick else [], "A benchmark.") == code
    assert [(one.title, one.broken()) for one in read(file)] == [
        (one.title, one.broken()) for one in (GOOD, BAD)
    ]
    said = capsys.readouterr()
    assert "over-wait, after 1 s" in said.out
    assert ("memory: most is 101" in said.err) is not quick


def test_results_hold_the_figures_the_machine_and_a_plot(tmp_path):
    results.write({"over_wait": [GOOD], "memory": [BAD]}, tmp_path, 12.4)
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["about"]["seconds"] == 12
    assert facts["about"]["machine"]
    assert facts["benchmarks"]["over_wait"][0]["measured median ratio"] == pytest.approx(0.1)
    assert facts["benchmarks"]["memory"][0]["broken"] == ["memory: most is 101, must be at most 100"]
    page = (tmp_path / "results.md").read_text()
    assert "| over-wait, after 1 s | ms | 2 | 3 | 20 | 60 | 0.100, 0.050 | median ratio 0.1 |" in page
    assert "most 100 (NO)" in page
    assert '    x-axis ["over-wait, after 1 s"]\n    y-axis "share" 0 --> 1.00\n    bar [0.100]' in page
    assert '    x-axis ["memory"]\n    y-axis "share" 0 --> 1.01\n    bar [1.010]' in page


def test_check_fails_where_a_figure_falls_short(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(benchmarks, "ROOT", tmp_path)
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.setattr(
        benchmarks, "_measured", lambda name, _folder: [BAD] if name == "many_waits" else [GOOD]
    )
    for arguments, code in (["--check"], 1), ([], 0):
        monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
        assert benchmarks.main() == code
    assert capsys.readouterr().err == "falls short: memory: most is 101, must be at most 100\n"


def test_a_benchmark_that_runs_again_keeps_the_results_of_the_others(monkeypatch, tmp_path):
    monkeypatch.setattr(benchmarks, "ROOT", tmp_path)
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.setattr(benchmarks, "_measured", lambda _name, _folder: [BAD])
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "reads", "--only", "listener"])
    assert benchmarks.main() == 0
    monkeypatch.setattr(benchmarks, "_measured", lambda _name, _folder: [GOOD])
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "reads"])
    assert benchmarks.main() == 0
    kept = {
        name: [one.title for one in figures]
        for name, figures in results.earlier(tmp_path / "benchmarks").items()
    }
    assert kept == {"reads": [GOOD.title], "listener": [BAD.title]}


def test_a_benchmark_that_fails_leaves_the_results_of_those_before(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(benchmarks, "ROOT", tmp_path)
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.setattr(benchmarks, "_measured", lambda name, _folder: None if name == "reads" else [GOOD])
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert benchmarks.main() == 1
    assert "over_wait" in results.earlier(tmp_path / "benchmarks")
    assert "reads" not in results.earlier(tmp_path / "benchmarks")
    assert capsys.readouterr().err == "benchmarks.reads failed\n"


def test_every_benchmark_has_a_quick_form(monkeypatch):
    """CI runs the quick form: the same code, with fewer and shorter repetitions."""
    started = []
    monkeypatch.setattr(benchmarks, "_at_once", lambda names: started.extend(names) or [])
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick"])
    assert benchmarks.main() == 0
    assert started == list(benchmarks.BENCHMARKS)
    for name in benchmarks.FIGURES:
        measures = [
            one
            for one in ast.walk(ast.parse((SOURCES / f"{name}.py").read_text(encoding="utf-8")))
            if isinstance(one, ast.FunctionDef) and one.name == "measure"
        ]
        assert [[one.arg for one in measure.args.args] for measure in measures] == [["quick"]], name
        (measure,) = measures
        read = [one for one in ast.walk(measure) if isinstance(one, ast.Name) and one.id == "quick"]
        assert read, f"benchmarks.{name} is as long when it is asked to be quick"
