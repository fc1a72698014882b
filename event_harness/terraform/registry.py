"""Finds out whether the provider registry can be reached, within seconds, and remembers the answer."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

from event_harness.machine.cache import write_atomically
from event_harness.machine.clock import timestamp

HOSTS = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}
PATIENCE = 4.0
REMEMBERED = {True: 3600.0, False: 300.0}  # seconds; a registry that becomes reachable is noticed soon


def _discovers(host: str) -> bool:
    """Fetch the registry's service discovery document, the first thing that `init` asks for."""
    import urllib.request  # takes its time, and pytest's header needs only what is remembered

    try:
        with urllib.request.urlopen(
            f"https://{host}/.well-known/terraform.json", timeout=PATIENCE
        ) as response:
            return "providers.v1" in json.load(response)
    except (OSError, ValueError):
        return False


def _within(seconds: float, question: Callable[[], bool]) -> bool:
    """Ask in a thread, since a socket's timeout doesn't limit the DNS look-up."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(question()), daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers and answers[0])


def reachable(
    kind: str,
    cache: Path,
    *,
    probe: Callable[[str], bool] = _discovers,
    clock: Callable[[], float] = timestamp,
) -> bool:
    """Whether the registry of `terraform` or `tofu` answers.

    Args:
        kind: "terraform" or "tofu"; each has its own registry.
        cache: directory that keeps the answer (an hour for yes, five minutes for no).
        probe: asks one host; it may block, and after four seconds the answer is no.
        clock: seconds since the epoch.
    """
    answer = remembered(kind, cache, clock=clock)
    if answer is None:
        answer = _within(PATIENCE, lambda: probe(HOSTS[kind]))
        write_atomically(_memory(kind, cache), json.dumps({"reachable": answer, "asked_at": clock()}))
    return answer


def remembered(kind: str, cache: Path, *, clock: Callable[[], float] = timestamp) -> bool | None:
    """The answer that `reachable` has kept; None if there is none or it is too old. Asks no network.

    Args:
        kind: "terraform" or "tofu".
        cache: the directory that keeps it.
        clock: seconds since the epoch.
    """
    try:
        kept = json.loads(_memory(kind, cache).read_text(encoding="utf-8"))
        answer, age = bool(kept["reachable"]), clock() - float(kept["asked_at"])
        return answer if 0 <= age < REMEMBERED[answer] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _memory(kind: str, cache: Path) -> Path:
    return cache / f"{HOSTS[kind]}.json"
