"""The formulae of large sessions, and the simulation of their way."""

import re
import shlex
from pathlib import Path

import pytest

from event_harness.aws.prices import PRICES
from scale.__main__ import main
from scale.session import Session
from scale.simulation import simulate

ROOT = Path(__file__).parents[3]


def test_write_units_count_the_item_and_its_index_entry():
    assert Session(1, body_kb=0.1).units_per_write == 2  # 0.8 KB, and 0.7 KB of index
    assert Session(1, body_kb=0.5).units_per_write == 3
    assert Session(1, body_kb=100).units_per_write == 102


def test_one_shard_takes_a_thousand_units_a_second():
    assert Session(1, body_kb=0.1).rate_limit == 500
    assert Session(1, body_kb=0.5).rate_limit == pytest.approx(333.3, abs=0.1)


def test_new_table_limits_the_rate_whatever_the_shards():
    assert Session(1, body_kb=0.1, shards=100).rate_limit == 2000


@pytest.mark.parametrize("rate", [10, 300, 340, 1000, 1300])
def test_recommended_shards_take_the_rate(rate):
    session = Session(1_000_000, rate=rate)
    enough = Session(1_000_000, rate=rate, shards=session.enough_shards)
    assert enough.limits_met() == []
    assert session.enough_shards == 1 or simulate(Session(20_000, rate=rate)).throttled
    assert not simulate(Session(20_000, rate=rate, shards=session.enough_shards)).throttled


def test_recommended_shards_hold_the_size():
    session = Session(10_000_000, rate=100, body_kb=8)
    assert session.gigabytes == pytest.approx(94)
    assert session.enough_shards == 11
    assert "GB in 1 shard(s) of 10 GB: result_shards = 11" in " ".join(session.limits_met())


def test_cost_is_that_of_writes_invocations_objects_and_logs():
    use = Session(1_000_000, body_kb=0.1, functions=1, seconds=0.1, memory_gb=0.5).use
    assert use.dynamodb_writes == 2_000_000
    assert use.lambda_requests == 2_000_000
    assert use.lambda_gb_seconds == pytest.approx(100_000)
    assert use.costs()["s3_puts"] == pytest.approx(2_000_000 * PRICES["s3_puts"])
    assert use.dollars == pytest.approx(sum(use.costs().values()))


def test_too_few_shards_lose_events_and_enough_shards_lose_none():
    few = simulate(Session(50_000, rate=1200))
    assert few.lost > 0
    assert few.stored + few.lost == 50_000
    enough = simulate(Session(50_000, rate=1200, shards=5))
    assert (enough.lost, enough.stored, enough.throttled) == (0, 50_000, 0)
    assert enough.busiest < 0.25


def test_short_burst_comes_through_by_retries():
    outcome = simulate(Session(1000, rate=1000))
    assert outcome.lost == 0
    assert outcome.throttled > 0
    assert outcome.latest >= 1


def test_inputs_wait_where_the_account_allows_few_invocations():
    outcome = simulate(Session(3000, rate=300, seconds=1, concurrency=100, shards=2))
    assert outcome.stored == 3000
    assert outcome.waiting == pytest.approx(2500, abs=100)  # 50 of 300 begin in each of ten seconds


def test_same_seed_gives_the_same_outcome():
    assert simulate(Session(5000, rate=900, shards=2), seed=3) == simulate(
        Session(5000, rate=900, shards=2), seed=3
    )


def test_document_shows_what_is_printed(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.strip() in (ROOT / "docs" / "scale.md").read_text()


def test_commands_of_the_document_run():
    text = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    commands = [
        shlex.split(line, comments=True) for line in text.splitlines() if line.startswith("make simulate")
    ]
    assert commands
    for _, _, *given in commands:
        arguments = [word for one in given for word in one.removeprefix("ARGS=").split()]
        assert main(arguments) in (0, 1)  # 1: the simulation tells of a loss, as the page says


def test_simulation_of_a_loss_is_told_and_returns_1(capsys):
    assert main(["--events", "20000", "--rate", "1200"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"lost +[\d,]+ \(in the listener's failure queue\)", told)
    assert "result_shards = 5" in told


@pytest.mark.parametrize(
    "wrong",
    [["--events", "0"], ["--events", "1e3"], ["--shards", "101"], ["--rate", "inf"], ["--rate", "-1"]],
)
def test_wrong_argument_is_named(wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--events", "10", *wrong])
    assert wrong[0] in capsys.readouterr().err
