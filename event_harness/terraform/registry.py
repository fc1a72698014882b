"""Finds out whether the provider registry can be reached, within seconds, and remembers the answer."""

import json
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

from event_harness.machine.cache import write_atomically
from event_harness.machine.clock import timestamp

HOSTS = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}
PATIENCE = 4.0
REMEMBERED = {True: 3600.0, False: 300.0}  # seconds; a registry that becomes reachable is noticed soon


def _discovers(host: str) -> bool:
    """Fetch the registry's service discovery document, the first thing that `init` asks for."""
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
    host = HOSTS[kind]
    memory = cache / f"{host}.json"
    try:
        remembered = json.loads(memory.read_text(encoding="utf-8"))
        answer, age = bool(remembered["reachable"]), clock() - float(remembered["asked_at"])
        if 0 <= age < REMEMBERED[answer]:
            return answer
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no answer is kept, or the file can't be read: ask
    answer = _within(PATIENCE, lambda: probe(host))
    write_atomically(memory, json.dumps({"reachable": answer, "asked_at": clock()}))
    return answer
