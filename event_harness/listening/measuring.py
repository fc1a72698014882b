"""Sends a sample of inputs, and measures how long each takes."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle, islice
from typing import Self

from event_harness.errors import LatencyError, SettingError
from event_harness.listening.collecting import Collecting
from event_harness.listening.counting import whole_number
from event_harness.listening.latencies import Latencies, parsed
from event_harness.listening.matching import Until
from event_harness.listening.order_statistics import check_supported
from event_harness.listening.outcomes import ByInput, Collected
from event_harness.producers.base import Producer
from event_harness.producers.bodies import Body
from event_harness.results.sent import Sent


class Measuring(Collecting):
    """The part of a `Listener` that measures latencies.

    Attributes:
        samples: The number of inputs of a sample, unless `measure` says it; None for one of each body.
        limits: Limits of percentiles that `measure` checks, unless it is given others.
        measured: Whether `measure` has been called.
    """

    samples: int | None = None
    limits: Mapping[str, float] = {}
    measured = False

    def with_claims(self, origin: str, *, samples: int | None = None, **limits: float) -> Self:
        """The same listener with other defaults of `measure`.

        Args:
            origin: Where they come from, for messages.
            samples: The number of inputs of a sample.
            limits: See `measure`.

        Raises:
            SettingError: A limit can't be used, or the sample is too small for it.
        """
        other = copy.copy(self)
        try:
            other.samples = None if samples is None else whole_number("samples", samples)
            other.limits = limits
            for p in parsed(limits):
                if samples is not None:
                    check_supported(p, samples)
        except SettingError as error:
            raise SettingError(f"{origin}: {error}") from error
        return other

    def measure(
        self,
        producer: Producer,
        bodies: Iterable[Body],
        *,
        samples: int | None = None,
        warm_up: int = 0,
        timeout: float | None = None,
        until: Until = None,
        source: str | None = None,
        **limits: float,
    ) -> Latencies:
        """Send inputs, one after the other within the in-flight limit, and measure how long each takes.

        `listener.measure(producer, ["hello"], samples=100, p95=1.5)` sends 100 inputs. It checks that 95 % of
        all inputs would have their result within 1.5 seconds; see `Latencies.check`.

        Args:
            producer: Sends the inputs.
            bodies: Their contents. If there are fewer than samples, they are sent again, in turn.
            samples: The number of inputs; by default what the marker `sla` says, otherwise one for each body.
            warm_up: Inputs that are sent before and don't count: the first ones meet cold functions.
            timeout: Seconds from the last send; the SLA by default.
            until: Which results count, see `wait_for`.
            source: Only results of this source count.
            limits: Seconds for percentiles: `p95=1.5`, `p99_9=4`; by default those of the marker `sla`.

        Returns:
            The latencies.

        Raises:
            LatencyError: An input has no result, or a percentile isn't within its limit.
            SettingError: The sample is too small for a percentile, or another argument can't be used.
            ProducerError: An input can't be sent.
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        self.measured = True
        claims = limits or dict(self.limits)
        sample = _sample(bodies, self.samples if samples is None else samples)
        for p in parsed(claims):
            check_supported(p, len(sample))
        whole_number("warm_up", warm_up, 0)
        if warm_up:
            warm = producer.send_many(islice(cycle(sample), warm_up))
            _check_whole(
                self.collect(warm, timeout=timeout, until=until, source=source), Latencies(ByInput())
            )
        began: dict[str, float] = {}

        def sent() -> Iterator[Sent]:
            """Send, and note the moment of each send on the clock of the reader."""
            for one in producer.send_many(sample):
                began[one.correlation_id] = self.clock() - (self.now() - one.sent_at)
                yield one

        collected = self.collect(sent(), timeout=timeout, until=until, source=source)
        ended = {
            key: min(self.seen_at[result.event_id] for result in results)
            for key, results in ((key, collected.arrived[key]) for key in collected.arrived)
        }
        latencies = Latencies(
            ByInput({key: max(0.0, ended[key] - began[key]) for key in ended}), collected.missing
        )
        _check_whole(collected, latencies)
        latencies.check(**claims)
        return latencies


def _sample(bodies: Iterable[Body], samples: int | None) -> list[Body]:
    if isinstance(bodies, str | bytes | Mapping):
        raise SettingError("bodies is one body: give a list, and the number of inputs with `samples`")
    listed = list(bodies)
    if not listed:
        raise SettingError("bodies is empty: give one body at least")
    return listed if samples is None else list(islice(cycle(listed), whole_number("samples", samples)))


def _check_whole(collected: Collected, latencies: Latencies) -> None:
    """See that every input has its result.

    Raises:
        LatencyError: One has none.
    """
    if not collected.missing:
        return
    every = len(collected.arrived) + len(collected.missing)
    told = f"{len(collected.missing)} of {every} inputs have no result"
    if why := next(map(str, collected.failed.values()), collected.report and collected.report.cause):
        told = f"{told}: {why}"
    lines = [told, *str(collected).split("\n")]
    if latencies.by_input:
        lines += str(latencies).split("\n")
    error = LatencyError("\n  ".join(lines))
    error.report = collected.report
    raise error
