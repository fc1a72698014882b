"""Records commands as text: `python -m website.recording`. The pictures of the README come from it.

Each command runs in a terminal of its own. Its output is kept as an asciinema cast, and its end as an SVG.
"""

import errno
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from event_harness.machine import clock

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 100, 40
DEMO = ("demo", "make demo", [sys.executable, "-m", "demo"], 0, None)
FAILURE = (
    "failure",
    "pytest",
    [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=yes", "website/recorded_failure.py"],
    1,
    re.compile(r"InputFailedError.*?(?=^\S*website/recorded_failure)", re.MULTILINE | re.DOTALL),
)


def record(command: list[str], code: int) -> list[tuple[float, str]]:
    """Run a command in a terminal; return what it prints, each piece with its second.

    Raises:
        RuntimeError: it ends with another exit code.
    """
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(WIDTH), "LINES": str(HEIGHT), "TERM": "xterm-256color"}
    environ = {name: text for name, text in os.environ.items() if not name.startswith("EVENT_HARNESS_")}
    environ |= size | {"EVENT_HARNESS_PROVIDERS": "mirror"}
    begun = clock.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    printed = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux says so at the end
                raise
            break
        if not piece:
            break
        printed.append((clock.monotonic() - begun, piece.decode("utf-8", errors="replace")))
    os.close(ours)
    if process.wait() != code:
        said = "".join(text for _, text in printed)
        raise RuntimeError(f"{command} ended with {process.returncode}: {said}")
    return [(moment, text.replace(str(ROOT), "~/event-harness")) for moment, text in printed]


def cast(title: str, printed: list[tuple[float, str]]) -> str:
    """An asciinema cast, version 2."""
    head = {"version": 2, "width": WIDTH, "height": HEIGHT, "title": title}
    rows = [[0.0, "o", f"$ {title}\r\n"], *([round(moment, 3), "o", text] for moment, text in printed)]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in [head, *rows]) + "\n"


def picture(title: str, text: str) -> str:
    """An SVG of what stands on the terminal."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi(text.replace("\r\n", "\n")))
    return console.export_svg(title=title, unique_id=title.replace(" ", "-"))


def main() -> None:
    """Record the demonstration and a failure."""
    PICTURES.mkdir(exist_ok=True)
    for name, title, command, code, part in (DEMO, FAILURE):
        printed = record(command, code)
        whole = "".join(text for _, text in printed)
        found = part.search(whole) if part else None
        (PICTURES / f"{name}.cast").write_text(cast(title, printed), encoding="utf-8")
        (PICTURES / f"{name}.svg").write_text(picture(title, found[0] if found else whole), encoding="utf-8")


if __name__ == "__main__":
    main()
