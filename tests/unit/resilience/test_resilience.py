"""When the resilience tests strike, and what counts as well."""

import pytest

from resilience import kill
from resilience.killing import Kill
from resilience.table import Options


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
