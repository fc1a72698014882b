"""The report as one self-contained HTML page."""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from importlib.util import find_spec
from typing import Any, get_args

from event_harness.errors import SettingError
from event_harness.machine.spans import span
from event_harness.reporting.cost import dollars
from event_harness.tracing.timeline import State

_WORDS = re.compile(r"(?<=[_/.:-])(?=[A-Za-z])")
_SHOWN = 100  # rows of a table; the explorer shows all
_LIBRARIES = ("d3.min.js", "plot.umd.min.js")
_DIRECTION = dict.fromkeys(
    [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\N{REPLACEMENT CHARACTER}"
)


def check_installed() -> None:
    """Raise an error if the page can't be made.

    Raises:
        SettingError: The extra `report` is not installed.
    """
    if find_spec("jinja2") is None:
        raise SettingError('the report needs jinja2: install the extra, pip install "event-harness[report]"')


def page(facts: Mapping[str, Any]) -> str:
    """Make the page of the facts.

    Every text of foreign origin is escaped, and what would change the text beside it is replaced.

    Raises:
        SettingError: The extra `report` is not installed.
    """
    check_installed()
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        loader=PackageLoader(__package__, "assets"),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {
        "span": _span,
        "day": _day,
        "dollars": dollars,
        "visible": visible,
        "breakable": _breakable,
        "packed": _packed,
    }
    numbered = [test | {"number": number} for number, test in enumerate(facts["tests"])]
    timed = [test for test in numbered if test["latency"]]
    unusual = _unusual(facts["events"])
    return environment.get_template("report.html.j2").render(
        facts=facts,
        **{
            name: facts[name]
            for name in ("session", "totals", "tests", "latency", "cost", "history", "problems")
        },
        failures=_failures(numbered, facts["waits"]),
        timed=timed,
        slowest=sorted(timed, key=lambda test: -test["latency"]["p95"])[:_SHOWN],
        tests_with_latency=len(timed),
        unusual=unusual[:_SHOWN],
        unusual_count=len(unusual),
        outcomes=sorted({test["outcome"] for test in facts["tests"]}),
        states=get_args(State),
        css=Markup(asset("report.css")),  # noqa: S704 (a file of this package)
        libraries=[Markup(asset(name)) for name in _LIBRARIES],  # noqa: S704 (files of this package)
        script=Markup(asset("report.js")),  # noqa: S704 (a file of this package)
        licences=asset("LICENSES.txt"),
    )


def asset(name: str) -> str:
    """A file of the page."""
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")


def visible(text: object) -> str:
    """Text without control characters, and without those that change its direction."""
    shown = (
        char if char in "\n\t" or ord(char) >= 0xA0 or char.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for char in str(text)
    )
    return "".join(shown).translate(_DIRECTION)


def _packed(facts: Mapping[str, Any]) -> str:
    """The facts as gzip in base64: much smaller, and no text in them can end an element of the page."""
    text = json.dumps(facts, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _failures(tests: list[dict[str, Any]], waits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tests that failed, each with its heading, the rest of its message, and what its waits explain."""
    told: dict[str, list[str]] = {}
    for wait in waits:
        if wait["explanation"] and wait["explanation"] not in told.setdefault(wait["test"], []):
            told[wait["test"]].append(wait["explanation"])
    failed = (test for test in tests if test["outcome"] in ("failed", "error"))
    return [
        dict(test) | _message(test["error"]) | {"explanations": told.get(test["id"], [])} for test in failed
    ]


def _message(error: str) -> dict[str, str]:
    heading, _, rest = error.partition("\n")
    return {"heading": heading, "rest": rest.rstrip()}


def _unusual(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events that did not arrive once, each with its number."""
    return [
        {
            "number": number,
            "id": event["id"].partition("/")[2] or event["id"],
            "state": event["state"],
            "last": _last(event),
            "duplicates": event["duplicates"],
        }
        for number, event in enumerate(events)
        if event["state"] in ("failed", "missing", "in flight") or event["duplicates"]
    ]


def _last(event: Mapping[str, Any]) -> str:
    been = [one["name"] for one in event["components"] if one["attempts"] or one["at"] is not None]
    return str(been[-1]) if been else "not known"


def _breakable(text: object) -> str:
    """Text that may break behind the signs between its words."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in _WORDS.split(visible(text)))


def _span(seconds: float | None) -> str:
    return "not known" if seconds is None else span(seconds)


def _day(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%d %B %Y, %H:%M} UTC".lstrip("0")
