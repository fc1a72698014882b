"""What `terraform console` says of a configuration's expressions."""

import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from event_harness.terraform import emptied
from event_harness.terraform.generated import EVALUATED


def answers(asked: emptied.Questions, directory: Path, ask: Callable[[str], str]) -> Mapping[str, Any]:
    """What it answers to the first question of which it knows the answer; empty if it knows none.

    Args:
        asked: the questions.
        directory: the root. The file of locals that the questions name is there meanwhile.
        ask: returns the answer to one line.
    """
    if not asked.lines:
        return {}
    file = directory / EVALUATED
    file.write_text(asked.locals, encoding="utf-8")
    try:
        return next(filter(None, (emptied.answered(ask(line)) for line in asked.lines)), {})
    finally:
        file.unlink()


def ask(line: str, directory: Path, *, binary: Path, flags: Iterable[str], environ: Mapping[str, str]) -> str:
    """What it answers to a line; empty if it fails.

    Args:
        line: an expression.
        directory: the root.
        binary: terraform or tofu.
        flags: its variables.
        environ: its whole environment.
    """
    try:
        done = subprocess.run(
            [str(binary), "console", *flags],
            cwd=directory,
            env=environ,
            input=line,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
