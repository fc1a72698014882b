"""Prints what test sessions with many events need on AWS, or simulates one: `make simulate`."""

import argparse
import sys
import tempfile
from pathlib import Path

from event_harness.aws.prices import AS_OF, REGION
from scale.emulated import store_and_read
from scale.session import Session
from scale.simulation import simulate

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_MOST_SIMULATED = 10_000_000


def main(arguments: list[str] | None = None) -> int:
    """Print the table of all sizes, or the simulation of one."""
    options = _parser().parse_args(arguments)
    chosen = {
        "rate": options.rate,
        "body_kb": options.body_kb,
        "functions": options.functions,
        "seconds": options.seconds,
        "concurrency": options.concurrency,
    }
    if options.events is None:
        _table(chosen)
        return 0
    if options.emulator:
        return _emulated(options.events, options.shards)
    return _simulation(Session(options.events, shards=options.shards, **chosen), options.seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate ARGS=", description=(__doc__ or "").strip())
    parser.add_argument("--events", type=_events, help="simulate a session of this many events")
    parser.add_argument("--rate", type=_positive, default=200.0, help="inputs a second (200)")
    parser.add_argument("--shards", type=_shards, default=1, help="the module's result_shards (1)")
    parser.add_argument("--body-kb", type=_positive, default=0.5, help="size of a body (0.5)")
    parser.add_argument("--functions", type=int, default=1, help="functions before the listener (1)")
    parser.add_argument("--seconds", type=_positive, default=0.1, help="duration of an invocation (0.1)")
    parser.add_argument(
        "--concurrency", type=int, default=1000, help="invocations at once in the account (1000)"
    )
    parser.add_argument(
        "--emulator", action="store_true", help="store and read the events in the emulator's DynamoDB instead"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers (0)")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: must be a number greater than 0")
    return value


def _events(text: str) -> int:
    value = int(text)
    if not 1 <= value <= _MOST_SIMULATED:
        raise argparse.ArgumentTypeError(f"{text}: must be from 1 to {_MOST_SIMULATED:,}")
    return value


def _shards(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text}: must be from 1 to 100")
    return value


def _table(chosen: dict[str, float]) -> None:
    print(f"One test session on AWS, {chosen['rate']:,.0f} inputs/s; prices of {REGION}, {AS_OF}\n")
    print(f"{'events':>10}  {'sending':>9}  {'shards':>6}  {'table':>8}  {'at once':>7}  {'cost':>9}  limits")
    for events in SIZES:
        one = Session(events, **chosen)  # type: ignore[arg-type]
        session = Session(events, shards=one.enough_shards, **chosen)  # type: ignore[arg-type]
        met = "; ".join(session.limits_met()) or "none"
        print(
            f"{events:>10,}  {_time(session.duration):>9}  {session.shards:>6}  {session.gigabytes:>5.2f} GB"
            f"  {session.needed_concurrency:>7,}  {session.use.dollars:>8.2f}$  {met}"
        )


def _simulation(session: Session, seed: int) -> int:
    outcome = simulate(session, seed=seed)
    print(f"{session.events:,} events at {session.rate:,.0f}/s into {session.shards} shard(s)")
    print(
        f"  stored     {outcome.stored:,} in {_time(outcome.seconds)}; the slowest after {outcome.latest} s"
    )
    print(f"  lost       {outcome.lost:,} (in the listener's failure queue)")
    print(f"  throttled  {outcome.throttled:,} writes")
    print(f"  waiting    {outcome.waiting:,} inputs at most, for a free invocation")
    print(f"  fullest    shard: {outcome.busiest:.1%} of all results")
    for limit in session.limits_met():
        print(f"  limit      {limit}")
    return 1 if outcome.lost else 0


def _emulated(events: int, shards: int) -> int:
    with tempfile.TemporaryDirectory(prefix="event-harness-scale-") as directory:
        stored = store_and_read(events, shards, Path(directory))
    print(f"{events:,} results in {shards} shard(s) of the emulator's DynamoDB")
    print(f"  written    {stored.written:,} in {_time(stored.write_seconds)}")
    print(f"  read       {stored.read:,} in {stored.read_seconds:.1f} s by {stored.queries:,} queries")
    print(f"  shards     {min(stored.shards):,} to {max(stored.shards):,} results each")
    return 0 if stored.read == stored.written else 1


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    sys.exit(main())
