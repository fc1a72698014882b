"""Percentiles of latencies."""

import math
from collections.abc import Iterable
from typing import Any

SHARES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}


def percentile(ordered: list[float], share: float) -> float:
    """The smallest value that at least this share of the values doesn't exceed (nearest rank).

    Args:
        ordered: The values, sorted; at least one.
        share: Above 0, at most 1.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summarized(values: Iterable[float | None]) -> dict[str, Any] | None:
    """Number, extremes, mean and percentiles, in seconds; None if no value is known."""
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return None
    told: dict[str, Any] = {"count": len(ordered), "min": ordered[0], "max": ordered[-1]}
    told["mean"] = sum(ordered) / len(ordered)
    told |= {name: percentile(ordered, share) for name, share in SHARES.items()}
    return {name: value if name == "count" else round(value, 4) for name, value in told.items()}
