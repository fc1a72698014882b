"""Measuring a sample of inputs, and claims about its percentiles."""

import pytest
from listener_fakes import World

from event_harness.errors import LatencyError, SettingError, WaitError
from event_harness.listening.latencies import Latencies
from event_harness.listening.outcomes import ByInput
from event_harness.producers.inflight import InFlight


def sample(*seconds):
    return Latencies(ByInput({f"run/{number}": float(value) for number, value in enumerate(seconds)}))


HUNDRED = sample(*(number / 100 for number in range(1, 101)))  # 0.01 to 1 s


def test_a_claim_holds_if_the_upper_confidence_limit_is_within_it():
    HUNDRED.check(p95=0.99, p50=0.59)
    with pytest.raises(LatencyError):
        HUNDRED.check(p95=0.98)


def test_a_claim_that_is_wrong_is_told_with_the_distribution():
    with pytest.raises(LatencyError) as caught:
        HUNDRED.check(p95=0.5, p50=0.6)
    lines = str(caught.value).splitlines()
    assert lines[:2] == [
        "p95 is 0.950 s, the limit is 0.5 s (95% limits by order statistics: 0.910 s and 0.990 s)",
        "  100 samples: least 0.010, p50 0.500, p90 0.900, p95 0.950, p99 0.990, most 1.000 s",
    ]
    assert lines[2].split() == ["0.010", "to", "0.109", "s", "#" * 40, "10"]
    assert len(lines) == 12
    assert isinstance(caught.value, AssertionError)


def test_a_claim_that_the_sample_does_not_show_is_not_taken_for_granted():
    with pytest.raises(LatencyError) as caught:
        HUNDRED.check(p95=0.96)
    assert str(caught.value).splitlines()[0] == (
        "p95 is 0.950 s, but 100 samples don't show that it is at most 0.96 s"
        " (95% limits by order statistics: 0.910 s and 0.990 s): take more samples"
    )


def test_a_claim_of_too_few_samples_is_refused():
    with pytest.raises(SettingError, match="p99 of 10 samples can't be told: it takes 299 samples"):
        sample(*range(10)).check(p99=100)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"p95": 0}, "p95 is 0: must be a number of seconds, more than 0"),
        ({"p95": "1"}, "p95 is '1'"),
        ({"p95": True}, "p95 is True"),
        ({"p95": float("inf")}, "p95 is inf"),
        ({"p100": 1}, "p100: no percentile; write p50, p95, p99 or p99_9"),
        ({"p0": 1}, "p0: no percentile"),
        ({"ninety": 1}, "ninety: no percentile"),
    ],
)
def test_limits_that_mean_nothing_are_refused(limits, said):
    with pytest.raises(SettingError, match=said):
        HUNDRED.check(**limits)


def test_a_percentile_with_a_fraction_is_one():
    with pytest.raises(SettingError, match=r"p99.9 of 100 samples can't be told: it takes 2995 samples"):
        HUNDRED.check(p99_9=1)


def test_missing_inputs_count_as_slower_than_all_others():
    world = World()
    lost = Latencies(HUNDRED.by_input, [world.send() for _ in range(10)])
    assert lost.samples == 110
    assert lost.percentile(95).value == float("inf")
    with pytest.raises(LatencyError) as caught:
        lost.check(p95=5)
    assert "p95 is not reached, the limit is 5 s" in str(caught.value)
    assert "110 samples, 10 without a result: least 0.010, p50 0.550, p90 0.990, most 1.000 s" in str(
        caught.value
    )


def test_samples_that_are_all_equal_are_shown():
    assert str(sample(2, 2, 2)).splitlines()[1] == f"  2.000 s  {'#' * 40} 3"


@pytest.mark.parametrize("p", [0, 100, -1, "95", True])
def test_a_percentile_is_a_number_between_0_and_100(p):
    with pytest.raises(SettingError, match="must be a number between 0 and 100"):
        HUNDRED.percentile(p)


@pytest.fixture
def world():
    made = World(in_flight=InFlight(1))
    made.listener.now = made.clock
    return made


def answering(world, *seconds):
    """Let the system answer each input so many seconds after it was sent, in turn."""
    send, left = world.producer.send, list(seconds)

    def sends(body, **more):
        sent = send(body, **more)
        wait = left.pop(0)
        if wait is not None:
            world.arrives(sent, wait)
        return sent

    world.producer.send = sends


def test_latencies_are_measured_from_the_send_to_the_look_that_saw_the_result(world):
    answering(world, 0.5, 1.0, 0.25)
    measured = world.listener.measure(world.producer, ["a", "b", "c"])
    values = list(measured.by_input.values())
    assert [round(value, 2) for value in values] == pytest.approx([0.5, 1.0, 0.25], abs=0.11)
    assert measured.missing == []


def test_a_sample_is_sent_in_the_paced_way_and_bodies_come_again(world):
    answering(world, *[0.2] * 60)
    measured = world.listener.measure(world.producer, ["a", "b"], samples=60, p95=0.5)
    assert measured.samples == 60
    contents = [body for body, _ in world.buckets.objects["source-bucket"].values()]
    assert contents == [b"a", b"b"] * 30
    assert world.clock() - 1000 >= 60 * 0.2  # one at a time


def test_inputs_that_warm_up_do_not_count(world):
    answering(world, 5, 0.2, 0.2)
    measured = world.listener.measure(world.producer, ["a"], samples=2, warm_up=1)
    assert measured.samples == 2
    assert measured.seconds[-1] < 1


def test_a_limit_that_is_not_kept_is_an_error(world):
    answering(world, *[2.0] * 60)
    with pytest.raises(LatencyError, match=r"p95 is 2\.\d\d\d s, the limit is 1 s"):
        world.listener.measure(world.producer, ["a"], samples=60, p95=1)


def test_a_claim_that_cannot_be_made_is_refused_before_anything_is_sent(world):
    with pytest.raises(SettingError, match="p99 of 10 samples"):
        world.listener.measure(world.producer, ["a"], samples=10, p99=1)
    assert world.buckets.objects["source-bucket"] == {}


def test_an_input_without_a_result_is_an_error_with_its_explanation(world):
    answering(world, 0.2, None)
    with pytest.raises(LatencyError) as caught:
        world.listener.measure(world.producer, ["a", "b"], timeout=3)
    assert str(caught.value).startswith("1 of 2 inputs have no result: processor was not reached")
    assert caught.value.report.cause.startswith("processor was not reached")
    assert isinstance(caught.value, WaitError)


@pytest.mark.parametrize(
    ("bodies", "more", "said"),
    [
        ("text", {}, "bodies is one body"),
        ({"a": 1}, {}, "bodies is one body"),
        ([], {}, "bodies is empty"),
        (["a"], {"samples": 0}, "samples is 0"),
        (["a"], {"warm_up": -1}, "warm_up is -1"),
        (["a"], {"speed": 1}, "speed: no percentile"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(world, bodies, more, said):
    with pytest.raises(SettingError, match=said):
        world.listener.measure(world.producer, bodies, **more)


def test_the_marker_gives_the_defaults(world):
    answering(world, *[2.0] * 60)
    marked = world.listener.with_claims("the marker", samples=60, p95=1)
    assert not marked.measured
    with pytest.raises(LatencyError, match="p95 is"):
        marked.measure(world.producer, ["a"])
    assert marked.measured
    assert not world.listener.limits


def test_a_marker_whose_claim_cannot_be_made_is_refused(world):
    with pytest.raises(SettingError, match="the marker: p95 of 20 samples can't be told"):
        world.listener.with_claims("the marker", samples=20, p95=1)
