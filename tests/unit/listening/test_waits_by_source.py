"""Waits for the results of one source, or of each."""

import pytest
from listener_fakes import MAP, World

from event_harness.errors import InputFailedError, SettingError, UnexpectedResultError, WaitTimeoutError

SOURCES = {
    name: {"type": "sqs", "correlation": {"from": "attribute", "at": "id"}} for name in ("payouts", "audit")
}


@pytest.fixture
def world():
    return World(resources=MAP | {"sources": SOURCES})


def test_only_results_of_the_source_are_awaited(world):
    sent = world.send()
    world.arrives(sent, after=0.1, text="OTHER", source="payouts")
    world.arrives(sent, after=0.5, source="audit")
    took, result = world.passed(lambda: world.listener.wait_for(sent, source="audit"))
    assert (result.source, result.text) == ("audit", "HELLO")
    assert took >= 0.5


def test_a_timeout_names_the_source_and_counts_by_source(world):
    sent = world.send()
    world.arrives(sent, after=0.1, source="payouts")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for(sent, source="audit", timeout=1)
    assert "no result from audit for s3://source-bucket/run/" in str(caught.value)
    assert "1 of this input (payouts 1, audit 0)" in str(caught.value)


@pytest.mark.parametrize(
    "wait",
    [
        lambda world, sent: world.listener.wait_for(sent, source="payout"),
        lambda world, sent: world.listener.expect_exactly(sent, 1, source="payout"),
        lambda world, sent: world.listener.expect_exactly(sent, {"payout": 1}),
        lambda world, sent: world.listener.expect_none(sent, source="payout"),
        lambda world, sent: world.listener.collect([sent], source="payout"),
    ],
)
def test_a_source_that_is_not_there_is_refused_with_those_that_are(world, wait):
    with pytest.raises(
        SettingError, match="source 'payout': no such source; the listener has: payouts, audit"
    ):
        wait(world, world.send())


def test_exactly_so_many_of_one_source_are_counted(world):
    sent = world.send()
    for source in ("payouts", "payouts", "audit"):
        world.arrives(sent, after=0.1, source=source)
    (result,) = world.listener.expect_exactly(sent, 1, source="audit")
    assert result.source == "audit"
    with pytest.raises(
        UnexpectedResultError, match=r"2 results for .* where exactly 1 from payouts must come"
    ):
        world.listener.expect_exactly(sent, 1, source="payouts")


def test_exactly_so_many_of_each_source_are_counted(world):
    sent = world.send()
    for source in ("payouts", "audit", "payouts"):
        world.arrives(sent, after=0.1, source=source)
    results = world.listener.expect_exactly(sent, {"payouts": 2, "audit": 1})
    assert sorted(result.source for result in results) == ["audit", "payouts", "payouts"]


@pytest.mark.parametrize("expected", [{"payouts": 1, "audit": 1}, {"payouts": 2}, {"payouts": 2, "audit": 0}])
def test_one_too_many_of_a_source_is_unexpected_even_if_it_is_not_named(world, expected):
    sent = world.send()
    for source in ("payouts", "audit", "payouts"):
        world.arrives(sent, after=0.1, source=source)
    with pytest.raises(UnexpectedResultError, match=r"3 results for .* where exactly .* from payouts"):
        world.listener.expect_exactly(sent, expected)


def test_too_many_of_one_source_do_not_make_up_for_too_few_of_another(world):
    sent = world.send()
    for _ in range(3):
        world.arrives(sent, after=0.1, source="payouts")
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_exactly(sent, {"payouts": 2, "audit": 1})


def test_too_few_of_a_source_are_counted_in_the_timeout(world):
    sent = world.send()
    world.arrives(sent, after=0.1, source="payouts")
    with pytest.raises(WaitTimeoutError, match=r"payouts 1 of 1 and audit 0 of 2 results for s3://"):
        world.listener.expect_exactly(sent, {"payouts": 1, "audit": 2}, timeout=1)


@pytest.mark.parametrize("expected", [{}, {"audit": 0}, {"audit": -1}, {"audit": "1"}, {None: 1}])
def test_counts_that_expect_nothing_or_are_none_are_refused(world, expected):
    with pytest.raises(SettingError):
        world.listener.expect_exactly(world.send(), expected)


def test_counts_of_each_source_and_one_source_are_refused_together(world):
    with pytest.raises(SettingError, match="leave out `source`"):
        world.listener.expect_exactly(world.send(), {"audit": 1}, source="audit")


def test_nothing_of_one_source_is_proven_beside_results_of_another(world):
    sent = world.send()
    world.arrives(sent, after=0.1, source="payouts")
    assert world.listener.expect_none(sent, source="audit", within=2).proof == "window"
    with pytest.raises(UnexpectedResultError):
        world.listener.expect_none(sent, source="payouts", within=2)


def test_an_ordered_sentinel_of_the_source_proves_nothing_of_that_source(world):
    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.5, source="audit")
    took, nothing = world.passed(
        lambda: world.listener.expect_none(sent, source="audit", sentinel=sentinel, ordered=True, within=9)
    )
    assert nothing.proof == "sentinel"
    assert took < 1


def test_a_sentinel_of_another_source_does_not_show_that_the_source_works(world):
    sent, sentinel = world.send(), world.send()
    world.arrives(sentinel, after=0.5, source="payouts")
    with pytest.raises(WaitTimeoutError, match=r"the sentinel .* didn't come"):
        world.listener.expect_none(sent, source="audit", sentinel=sentinel, within=2)


def test_a_batch_is_collected_from_one_source_with_a_count_and_a_content(world):
    whole, half = world.send(), world.send()
    for sent, texts in ((whole, "AAB"), (half, "AB")):
        for number, text in enumerate(texts):
            world.arrives(sent, after=0.1 * number, text=text, source="audit")
            world.arrives(sent, after=0.1 * number, text="A", source="payouts")
    collected = world.listener.collect([whole, half], count=2, until="A", source="audit", timeout=2)
    assert whole in collected.arrived
    assert half not in collected.arrived
    assert [result.text for result in collected.arrived[whole]] == ["A", "A"]
    assert collected.arrived[whole.correlation_id] == collected.arrived[whole]
    assert collected.missing == [half]
    assert len(collected.incomplete[half]) == 1
    assert f"missing: {half.description}, 1 of 2 results" in str(collected)


@pytest.mark.parametrize("count", [0, "1", True])
def test_a_count_of_a_batch_that_is_none_is_refused(world, count):
    with pytest.raises(SettingError, match="count is"):
        world.listener.collect([world.send()], count=count)


def test_the_failure_of_one_branch_is_found_although_another_has_a_result(world):
    sent = world.send()
    world.arrives(sent, after=0.1, source="payouts")
    world.fails(sent, after=1)
    assert world.listener.wait_for_failure(sent).error_type == "NotUtf8Error"


def test_the_failure_of_one_branch_is_in_the_outcome_of_a_batch(world):
    sent, other = world.send(), world.send()
    world.arrives(sent, after=0.1, source="payouts")
    world.fails(sent, after=0.2)
    world.arrives(other, after=4, source="payouts")
    collected = world.listener.collect([sent, other])
    assert sent in collected.arrived
    assert collected.failed[sent].error_type == "NotUtf8Error"
    assert "arrived, but a branch failed" in str(collected)


def test_a_failure_that_does_not_come_says_which_sources_have_results_and_which_have_none(world):
    sent = world.send()
    world.arrives(sent, after=0.1, source="payouts")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for_failure(sent, timeout=2)
    assert caught.value.report.cause.endswith("no result of this input from audit")
    assert "1 of this input (payouts 1, audit 0)" in str(caught.value)
    world.arrives(sent, after=0.1, source="audit")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for_failure(sent, timeout=2)
    assert caught.value.report.cause == "no failure: every source has a result (payouts 1, audit 1)"


def test_a_failed_input_ends_the_wait_for_its_source(world):
    sent = world.send()
    world.arrives(sent, after=0.1, source="payouts")
    world.fails(sent, after=0.2)
    with pytest.raises(InputFailedError):
        world.listener.wait_for(sent, source="audit")
