"""When the resilience tests strike, and what counts as well."""

from dataclasses import replace
from itertools import chain, repeat

import pytest

from resilience import kill
from resilience.killing import Kill
from resilience.table import Options, Row, show


class FakeProject:
    """Kills nobody; remembers the seeds of the moments."""

    def __init__(self):
        self.seeds = []

    def kill(self, victim, stage, seed):
        self.seeds.append(seed)
        return Kill(victim, stage, seed, hit=True, listed=True)


def seeds(victim, stage, options):
    project = FakeProject()
    list(kill._kills(project, victim, stage, options))
    return project.seeds


def test_each_row_has_moments_of_its_own():
    options = Options(kills=20)
    rows = [
        seeds(victim, stage, options) for victim in ("pytest", "terraform") for stage in ("init", "apply")
    ]
    assert len({seed for row in rows for seed in row}) == 80


def test_same_seed_gives_the_same_moments_again():
    assert seeds("pytest", "init", Options()) == seeds("pytest", "init", Options())
    assert seeds("pytest", "init", Options()) != seeds("pytest", "init", Options(seed=2))


@pytest.mark.parametrize(
    ("listed", "swept", "left", "fine"),
    [
        (True, [0, 0], [], True),
        (True, [], [], True),
        (False, [0, 0], [], False),
        (True, [0, 1], [], False),
        (True, [0, 0], ["aws_sqs_queue a"], False),
    ],
    ids=["swept", "nothing to sweep", "not listed", "a sweep failed", "something is left"],
)
def test_a_kill_is_fine_if_what_it_left_was_listed_and_swept(listed, swept, left, fine):
    assert Kill("pytest", "apply", 1, hit=True, listed=listed, swept=swept, left=left).fine is fine


def rows_of(*kills, options):
    """The rows of a project whose kills end so, the last one again and again."""
    project = FakeProject()
    one_after_another = chain(kills, repeat(kills[-1]))

    def kill_so(victim, stage, seed):
        project.seeds.append(seed)
        assert len(project.seeds) < 100, "it never ends"
        return next(one_after_another)

    project.kill = kill_so
    return list(kill._kills(project, "pytest", "init", options)), len(project.seeds)


HIT = Kill("pytest", "init", 1, hit=True, listed=True)
MISSED = Kill("pytest", "init", 1, listed=True)


def test_moments_that_come_too_late_are_no_trials_and_end_after_a_while():
    (row,), tries = rows_of(MISSED, options=Options(kills=3))
    assert (row.tried, row.fine, tries) == (0, 0, 8)
    (row,), tries = rows_of(MISSED, HIT, options=Options(kills=3))
    assert (row.tried, row.fine, tries) == (3, 3, 4)


def test_what_is_left_where_nothing_was_hit_is_a_failure():
    (row,), _ = rows_of(replace(MISSED, left=["a queue"]), HIT, options=Options(kills=2))
    assert (row.tried, row.fine) == (2, 1)
    assert "a queue" in row.notes[0]


def test_every_guarantee_is_kept_only_if_each_row_was_tried_and_all_were_fine():
    kept, failed, untried = (Row(what, "it ends") for what in ("kept", "failed", "untried"))
    kept.add(True, "1 s into it")
    failed.add(True)
    failed.add(False, "a queue is left")
    assert (kept.notes, failed.notes) == ([], ["a queue is left"])
    assert show([kept])
    assert not show([])
    assert not show([kept, failed])
    assert not show([kept, untried])
