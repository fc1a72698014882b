"""The figures of the benchmarks are judged and written as they were measured."""

import ast
import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import results
from benchmarks.figures import Figure, percentile_95, read, run
from benchmarks.results import Results

SOURCES = Path(benchmarks.__file__).parent
GOOD = Figure("over-wait", "after 1 s", "ms", [1, 2, 3], [10, 20, 60], "a poll loop", {"median ratio": 0.1})
VERDICT = ["normal", "a | b", "0.96 s", "2", "passed", "0.03 s", "3", "yes"]
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
    results.write(
        Results({"over_wait": [GOOD], "memory": [BAD]}, [VERDICT], {"over_wait": 12.4, "memory": 2}), tmp_path
    )
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["about"]["seconds"] == 14
    assert facts["seconds"] == {"over_wait": 12, "memory": 2}
    assert facts["about"]["machine"]
    assert facts["benchmarks"]["over_wait"][0]["measured median ratio"] == pytest.approx(0.1)
    assert facts["benchmarks"]["memory"][0]["broken"] == ["memory: most is 101, must be at most 100"]
    page = (tmp_path / "results.md").read_text()
    assert "Seconds: over wait 12, memory 2. " in page
    assert "| over-wait, after 1 s | ms | 2 | 3 | 20 | 60 | 0.100, 0.050 | median ratio 0.1 |" in page
    assert "most 100 (NO)" in page
    assert '    x-axis ["over-wait, after 1 s"]\n    y-axis "share" 0 --> 1.00\n    bar [0.100]' in page
    assert '    x-axis ["memory"]\n    y-axis "share" 0 --> 1.01\n    bar [1.010]' in page
    assert "| normal | a \\| b | 0.96 s | 2 | passed | 0.03 s | 3 | yes |" in page


def measuring(monkeypatch, tmp_path, figures, verdicts=(), code=0):
    """Let each benchmark measure these figures at once; None: it fails and measures nothing."""
    monkeypatch.setattr(benchmarks, "ROOT", tmp_path)
    (tmp_path / "benchmarks").mkdir(exist_ok=True)

    def run_one(command, **_):
        name, file = command[2].removeprefix("benchmarks."), Path(command[-1])
        measured = figures(name)
        if name == "side_by_side":
            file.write_text(json.dumps(verdicts))
        elif measured is not None:
            file.write_text(json.dumps([asdict(one) for one in measured]))
        return code if name == "side_by_side" else int(measured is None)

    monkeypatch.setattr(benchmarks.subprocess, "call", run_one)


def run_benchmarks(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    return benchmarks.main()


def errors(capsys):
    """What was said, without the durations."""
    return [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" s")]


def test_check_fails_where_a_figure_falls_short(monkeypatch, tmp_path, capsys):
    measuring(monkeypatch, tmp_path, lambda name: [BAD] if name == "many_waits" else [GOOD])
    assert run_benchmarks(monkeypatch, "--check") == 1
    assert errors(capsys) == ["falls short: memory: most is 101, must be at most 100"]
    assert run_benchmarks(monkeypatch) == 0
    assert errors(capsys) == []


def test_check_passes_where_all_that_was_asked_for_holds(monkeypatch, tmp_path, capsys):
    measuring(monkeypatch, tmp_path, lambda name: [BAD] if name == "many_waits" else [GOOD])
    assert run_benchmarks(monkeypatch, "--check", "--only", "reads", "--only", "side_by_side") == 0
    assert errors(capsys) == []


def test_a_benchmark_that_runs_again_keeps_the_results_of_the_others(monkeypatch, tmp_path):
    measuring(monkeypatch, tmp_path, lambda _name: [BAD], [VERDICT])
    only = ("--only", "reads", "--only", "listener", "--only", "side_by_side")
    assert run_benchmarks(monkeypatch, *only) == 0
    measuring(monkeypatch, tmp_path, lambda _name: [GOOD])
    assert run_benchmarks(monkeypatch, "--only", "reads") == 0
    kept = results.earlier(tmp_path / "benchmarks")
    titles = {name: [one.title for one in figures] for name, figures in kept.figures.items()}
    assert titles == {"reads": [GOOD.title], "listener": [BAD.title]}
    assert kept.verdicts == [VERDICT]
    assert list(kept.seconds) == ["reads", "listener", "side_by_side"]


def test_a_benchmark_that_fails_leaves_the_results_of_those_before(monkeypatch, tmp_path, capsys):
    measuring(monkeypatch, tmp_path, lambda name: None if name == "reads" else [GOOD])
    assert run_benchmarks(monkeypatch) == 1
    kept = results.earlier(tmp_path / "benchmarks").figures
    assert "over_wait" in kept
    assert "reads" not in kept
    assert errors(capsys) == ["benchmarks.reads failed"]


def test_a_broken_guarantee_in_a_case_fails_and_is_written(monkeypatch, tmp_path, capsys):
    measuring(monkeypatch, tmp_path, lambda _name: [GOOD], [VERDICT], code=1)
    assert run_benchmarks(monkeypatch, "--only", "side_by_side") == 1
    assert results.earlier(tmp_path / "benchmarks").verdicts == [VERDICT]
    assert errors(capsys) == ["benchmarks.side_by_side failed"]


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
