"""The sample that the benchmarks compare with works in the good case and fails as documented."""

import pytest

from benchmarks.sample.polling import PolledTest, PollerTimedOutError
from benchmarks.sample.system import deploy
from event_harness.aws.emulator import LocalEmulator


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    with LocalEmulator.start(tmp_path_factory.mktemp("aws")) as aws:
        target = aws.target()
        yield target, deploy(target, "sample")


def test_sample_passes_a_text_and_cleans_up(sample):
    target, system = sample
    test = PolledTest(target, system, "plain.txt")
    test.send("a text")
    test.check("A TEXT")
    test.tear_down()
    assert target.client("dynamodb").scan(TableName=system.table)["Items"] == []


def test_sample_says_that_it_timed_out_when_the_content_is_wrong(sample):
    test = PolledTest(*sample, "wrong.txt")
    test.send("a text")
    with pytest.raises(PollerTimedOutError, match="poller timed out"):
        test.check("ANOTHER TEXT")


def test_sample_never_sees_the_result_of_a_key_with_a_space(sample):
    test = PolledTest(*sample, "x y.txt", limit=2)
    test.send("a text")
    with pytest.raises(PollerTimedOutError, match="poller timed out"):
        test.check("A TEXT")
    with pytest.raises(KeyError):
        test.tear_down()
