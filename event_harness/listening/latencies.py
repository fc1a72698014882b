"""The latencies of a sample of inputs: their distribution, and claims about their percentiles."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from event_harness.errors import LatencyError, SettingError, printable
from event_harness.listening.order_statistics import CONFIDENCE, Percentile, check_supported, percentile
from event_harness.listening.outcomes import SHOWN, ByInput
from event_harness.results.sent import Sent

_NAME = re.compile(r"p(\d{1,2})(?:_(\d{1,3}))?")
_BARS, _WIDTH = 10, 40  # rows of a histogram, and characters of its longest bar
_TOLD = (0.5, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Latencies:
    """The latencies of a sample of inputs, in seconds by the clock of this machine.

    A latency begins right before the call that sends the input. It ends when a look into the table has read
    its first accepted result. So it contains the time to the next look: milliseconds where results come
    soon, a second at most where they take long.

    `str(latencies)` shows the distribution.

    Attributes:
        by_input: Input -> its latency. Ask it with a `Sent` or a correlation id.
        missing: Inputs without a result. They count as slower than all others.
    """

    by_input: ByInput[float]
    missing: list[Sent] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        """The latencies of all inputs that have a result, in ascending order."""
        return sorted(self.by_input.values())

    @property
    def samples(self) -> int:
        """The number of inputs, the missing ones among them."""
        return len(self.by_input) + len(self.missing)

    def percentile(self, p: float) -> Percentile:
        """A percentile, with its confidence limits by order statistics.

        Args:
            p: 0 to 100, both excluded.

        Raises:
            SettingError: `p` isn't such a number, or there is no sample.
        """
        if isinstance(p, bool) or not isinstance(p, int | float) or not 0 < p < 100:
            raise SettingError(f"percentile {p!r}: must be a number between 0 and 100")
        if not self.samples:
            raise SettingError("there is no sample")
        return percentile([*self.seconds, *[math.inf] * len(self.missing)], p / 100)

    def check(self, **limits: float) -> None:
        """Check that percentiles are within limits, in seconds: `latencies.check(p95=1.5, p99=4)`.

        A claim holds if the upper confidence limit of the percentile is within the limit. It is the sample of
        a rank that order statistics give, with a confidence of 95 %.

        Raises:
            LatencyError: A claim doesn't hold, or the sample doesn't show that it does. The message holds the
                distribution.
            SettingError: The sample is too small for a claim, or a limit can't be used.
        """
        claims = parsed(limits)
        for p in claims:
            check_supported(p, self.samples)
        broken = [
            told
            for p, limit in claims.items()
            if (told := _broken(percentile([*self.seconds, *[math.inf] * len(self.missing)], p), limit))
        ]
        if broken:
            raise LatencyError("\n  ".join([*broken, *str(self).split("\n")]))

    def __str__(self) -> str:
        seconds = self.seconds
        lines = [
            f"{self.samples} samples" + (f", {len(self.missing)} without a result" if self.missing else "")
        ]
        if seconds:
            told = (self.percentile(100 * p) for p in _TOLD)
            known = [f"{one.name} {_shown(one.value)}" for one in told if one.value < math.inf]
            lines[0] += f": least {_shown(seconds[0])}, {', '.join(known)}, most {_shown(seconds[-1])} s"
            lines += _histogram(seconds)
        lines += [f"missing: {sent.description}" for sent in self.missing[:SHOWN]]
        return printable("\n".join(lines))


def parsed(limits: Mapping[str, object]) -> dict[float, float]:
    """The limits of percentiles: part of the samples (0 to 1) -> seconds.

    Raises:
        SettingError: A name isn't that of a percentile, or a limit isn't a number of seconds.
    """
    claims: dict[float, float] = {}
    for name, limit in limits.items():
        match = _NAME.fullmatch(name)
        p = float(f"{match[1]}.{match[2] or 0}") / 100 if match else 0.0
        if not p:
            raise SettingError(f"{name}: no percentile; write p50, p95, p99 or p99_9")
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < math.inf:
            raise SettingError(f"{name} is {limit!r}: must be a number of seconds, more than 0")
        claims[p] = float(limit)
    return claims


def _broken(found: Percentile, limit: float) -> str | None:
    """Why a claim doesn't hold; None if it does."""
    if found.high <= limit:
        return None
    most = "more than all samples" if found.high == math.inf else f"{_shown(found.high)} s"
    between = f"{CONFIDENCE:.0%} limits by order statistics: {_shown(found.low)} s and {most}"
    if found.value > limit:
        value = "not reached" if found.value == math.inf else f"{_shown(found.value)} s"
        return f"{found.name} is {value}, the limit is {limit:g} s ({between})"
    return (
        f"{found.name} is {_shown(found.value)} s, but {found.samples} samples don't show that it is at most"
        f" {limit:g} s ({between}): take more samples"
    )


def _histogram(seconds: list[float]) -> list[str]:
    """Rows of equal width in time: their bounds, a bar, the number of samples."""
    least, most = seconds[0], seconds[-1]
    if most == least:
        return [f"  {_shown(least)} s  {'#' * _WIDTH} {len(seconds)}"]
    bounds = [least + (most - least) * number / _BARS for number in range(_BARS + 1)]
    counts = [
        sum(low <= one < high or (one == most and high == bounds[-1]) for one in seconds)
        for low, high in pairwise(bounds)
    ]
    longest = max(counts)
    return [
        f"  {_shown(low):>7} to {_shown(high):>7} s  {'#' * math.ceil(_WIDTH * number / longest)} {number}"
        for (low, high), number in zip(pairwise(bounds), counts, strict=True)
    ]


def _shown(seconds: float) -> str:
    return f"{seconds:.3f}"
