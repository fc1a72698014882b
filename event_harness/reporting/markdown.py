"""The summary of a session in Markdown, for the job summary of GitHub Actions."""

import html
import re
from collections.abc import Mapping
from typing import Any

from event_harness.machine.spans import span
from event_harness.reporting.cost import dollars

_FAILURES = 20
_EXPLANATION = 6000  # characters of one explanation


def summary(facts: Mapping[str, Any]) -> str:
    """The outcome, the numbers, and each failure with its explanation."""
    session, totals, latency = facts["session"], facts["totals"], facts["latency"]["events"]
    lines = [
        f"## event-harness: {session['outcome']}",
        "",
        "| tests | events | arrived | missing | failed | duplicates | p95 | cost on AWS |",
        "|---|---|---|---|---|---|---|---|",
        f"| {totals['passed_tests']} of {totals['tests']} passed | {totals['events']:,}"
        f" | {totals['arrived']:,} | {totals['missing']:,} | {totals['failed']:,} | {totals['duplicates']:,}"
        f" | {span(latency['p95']) if latency else 'not known'} | {dollars(facts['cost']['dollars'])} |",
        "",
    ]
    known = {name: seconds for name, seconds in session["durations"].items() if seconds is not None}
    took = ", ".join(f"{name.replace('_', '-')} {span(seconds)}" for name, seconds in known.items())
    versions = ", ".join(f"{name} {version}" for name, version in session["versions"].items())
    lines += [_plain(f"Target {session['target']}; {versions}; {took}"), ""]
    failed = [test for test in facts["tests"] if test["outcome"] in ("failed", "error")]
    for test in failed[:_FAILURES]:
        told = [wait["explanation"] for wait in facts["waits"] if wait["test"] == test["id"]]
        explanation = next((one for one in told if one), test["error"])
        heading = test["error"].partition("\n")[0]
        lines += [
            f"<details><summary><code>{_html(test['id'])}</code>: {_html(heading)}</summary>",
            "",
            f"<pre>{_html(explanation[:_EXPLANATION])}</pre>",
            "",
            "</details>",
            "",
        ]
    if len(failed) > _FAILURES:
        lines += [f"and {len(failed) - _FAILURES} more failed tests", ""]
    lines += [f"- {_plain(problem)}" for problem in facts["problems"]]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text without what Markdown or HTML would take for its own."""
    return re.sub(r"([\\`*_{}\[\]#|])", r"\\\1", _html(text))


def _html(text: str) -> str:
    return html.escape(_visible(text)).replace("\n", "&#10;")


def _visible(text: str) -> str:
    """Text whose control and direction characters are gone: they would change what stands beside them."""
    return "".join(char if char == "\n" or char.isprintable() else "\ufffd" for char in text)
