"""When the resilience tests strike."""

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
