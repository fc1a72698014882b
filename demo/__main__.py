"""`make demo`: sends a text through the whole system on the local AWS emulator, and shows its path."""

import argparse
import os
import sys
import time
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from demo.event_path import Moment, path_of
from demo.report import DemoReport
from event_harness.deployments.session import Session
from event_harness.errors import HarnessError
from event_harness.explaining.report import for_stream
from event_harness.listening.listener import Listener
from event_harness.machine import terminal
from event_harness.machine.boundary import explained
from event_harness.machine.interrupts import orderly_interrupts
from event_harness.machine.writable import why_unwritable
from event_harness.orphans.inventory import inventory
from event_harness.producers import producers_for
from event_harness.results.sent import Sent
from event_harness.settings import BY_NAME, SETTINGS, Settings
from event_harness.system.correlation import new_session_id
from event_harness.system.deployed_system import DeployedSystem

DEFAULT = Path(__file__).with_name("declaration.txt")
BEGIN = time.monotonic()


def main() -> int:
    """Run the demonstration. Return 0 only if the text came back exactly right and nothing is left behind."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--file", type=Path, default=DEFAULT, help="a UTF-8 text; default: one in 16 languages"
    )
    parser.add_argument("--out", type=Path, help="where to write the text that came back")
    parser.add_argument("--report", type=Path, help="a directory for the report, a page")
    options = parser.parse_args()
    try:
        with explained():
            text = _read(options.file)
            _check_writable(options.out)
            with orderly_interrupts():
                return _run(text, options.out, options.report)
    except HarnessError as error:
        print(for_stream(f"demo: {error}", sys.stderr), file=sys.stderr)
    except KeyboardInterrupt:
        print("demo: interrupted; what was created is destroyed", file=sys.stderr)
    except BrokenPipeError:
        # The reader of the output has gone. Otherwise Python reports the error again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _run(text: str, out: Path | None, directory: Path | None) -> int:
    session = Session(settings(Path.cwd(), os.environ), Path.cwd(), say=say)
    report = DemoReport(session, directory) if directory else None
    try:
        system = session.system()
        say(f"deployed: the system under test and the harness, deployment {system.deployment_id}")
        right = _send_and_compare(system, text, out, report)
        if report:
            report.gather(system)
        session.destroy()
        # An emulator of its own holds nothing else; elsewhere the names hold the id.
        alone = session.record is not None and session.record.own_emulator
        left = inventory(system.target, part="" if alone else system.deployment_id)
        say(f"left: {len(left)} resources" + "".join(f"\n    {item}" for item in left))
    finally:
        session.close()
    if report:
        say(f"report: {report.write(system, right=right and not left)}")
    say("done: " + ("the text came back exactly right, nothing is left" if right and not left else "FAILED"))
    return 0 if right and not left else 1


def settings(project: Path, environ: Mapping[str, str]) -> Settings:
    """The settings that pytest would use.

    Left out are those that make no demonstration: a system that stays, an emulator that can't be searched.
    """
    without = [BY_NAME[name] for name in ("keep", "reuse", "resources", "destroy")]
    variables = {setting.variable for setting in without}
    try:
        tables = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except OSError:
        tables = {}
    ini = tables.get("tool", {}).get("pytest", {}).get("ini_options", {})
    return Settings(
        environ={name: text for name, text in environ.items() if name not in variables},
        ini={
            setting.name: ini[setting.ini]
            for setting in SETTINGS
            if setting.ini in ini and setting not in without
        },
    )


def _send_and_compare(system: DeployedSystem, text: str, out: Path | None, report: DemoReport | None) -> bool:
    listener = Listener(system.resources, system.target, new_session_id(), sla=60)
    if report:
        report.follow(system, listener)
    sent = next(iter(producers_for(listener).values())).send(text)
    say(f"sent: {len(text.encode()):,} bytes, {len(text):,} characters, {_scripts(text)}")
    result = listener.wait_for(sent)
    received_at = time.time()
    received = result.text
    say(f"received: {result.size:,} bytes, {len(received):,} characters")
    show(path_of(system, sent, result, received_at), sent)
    if out is not None:
        _write(out, result.body)
        say(f"written to {out}")
    expected = text.upper()
    if received != expected:
        pairs = enumerate(zip(received, expected, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(received), len(expected)))
        say(f"WRONG: differs from str.upper() at character {at}")
        return False
    say("compared: equal to what str.upper() makes of the text, character by character")
    return True


def show(path: list[Moment], sent: Sent) -> None:
    """Print the moments of the event's path, with their times after the send."""
    terminal.say("           the path of the event:")
    for moment in path:
        terminal.say(f"           {moment.at - sent.sent_at:+8.3f} s  {moment.what:<12} {moment.where}")


def say(line: str) -> None:
    """Print a step with its time since the start."""
    terminal.say(f"{time.monotonic() - BEGIN:8.1f} s {line}")


def _read(path: Path) -> str:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a device may have no end
            raise HarnessError(f"{path} is not a file; give a file with a text: make demo FILE=path")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise HarnessError(
            f"{path} can't be read: {error.strerror}; give another: make demo FILE=path"
        ) from error
    except UnicodeDecodeError as error:
        raise HarnessError(
            f"{path} is not UTF-8 (byte {error.object[error.start]:#04x} at offset {error.start}); "
            "convert it first, e.g. with iconv"
        ) from error


def _check_writable(out: Path | None) -> None:
    if out is not None and (why := why_unwritable(out)):
        raise _unwritable(out, why)


def _write(out: Path, body: bytes) -> None:
    try:
        out.write_bytes(body)
    except OSError as error:
        raise _unwritable(out, str(error.strerror)) from error


def _unwritable(out: Path, why: str) -> HarnessError:
    return HarnessError(f"{out} can't be written: {why}; give another: make demo OUT=path")


def _scripts(text: str) -> str:
    """The scripts of a text's letters, from their names: LATIN SMALL LETTER A."""
    first_words = (unicodedata.name(c, "UNKNOWN").split()[0] for c in set(text) if c.isalpha())
    counts = Counter(word for word in first_words if word not in ("IDEOGRAPHIC", "KATAKANA-HIRAGANA"))
    names = [name.capitalize() for name, _ in counts.most_common()]
    return f"{len(names)} scripts: {', '.join(names[:12])}" if names else "no letters"


if __name__ == "__main__":
    sys.exit(main())
