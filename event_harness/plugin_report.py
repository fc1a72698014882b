"""Writes the reports of a test session: page, job summary, spans, and properties of JUnit's report."""

import html
import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from event_harness.errors import HarnessError, printable, uncut
from event_harness.following import FOLLOWED_KEY, GROUP_KEY, state_dir
from event_harness.machine.boundary import explained
from event_harness.machine.clock import timestamp
from event_harness.plugin_process import SESSION_KEY, SETTINGS_KEY, own_session

if TYPE_CHECKING:  # a project that doesn't use the harness must not wait for boto3 and jinja2
    from event_harness.reporting.evidence import Evidence
    from event_harness.reporting.session_facts import SessionFacts, TestFacts
    from event_harness.system.deployed_system import DeployedSystem

SUMMARY = "GITHUB_STEP_SUMMARY"
_ERROR = 16 * 1024  # characters of the message of one failed test


def add_reports(config: pytest.Config) -> None:
    """Let this process report, if it isn't a worker's and somebody wants a report.

    Raises:
        SettingError: The extra `report` is missing.
    """
    config.pluginmanager.register(_Properties(config), "event-harness-properties")
    settings = config.stash[SETTINGS_KEY]
    if hasattr(config, "workerinput"):
        return
    if settings["report"]:
        from event_harness.reporting.page import check_installed

        check_installed()
    wanted = settings["report"] or settings["otlp"] or os.environ.get(SUMMARY)
    if wanted or config.getoption("xmlpath", None):
        config.pluginmanager.register(_Reports(config), "event-harness-reports")


class _Properties:
    """In the process that runs a test: the facts of its events, for JUnit's report and for pytest-html."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> Generator[None, Any, Any]:
        """Add what is known of the test's events."""
        followed = self.config.stash.get(FOLLOWED_KEY, None)
        if call.when == "call" and followed is not None:
            from event_harness.reporting.properties import of_test

            item.user_properties += of_test(item.nodeid, *followed)
        report = yield
        if call.excinfo is not None and report.failed:
            report.event_harness_error = _told(call.excinfo.value, call.when)
        if call.when == "call" and followed is not None and self.config.pluginmanager.hasplugin("html"):
            waits = [wait for wait in followed[0].waits if wait.test == item.nodeid]
            report.extras = [*getattr(report, "extras", []), *map(_extra, waits)]
        return report


def _extra(wait: Any) -> Any:
    """What pytest-html shows of a wait."""
    from pytest_html import extras

    said = f"{wait.method}: {wait.outcome} after {wait.ended - wait.began:.2f} s (SLA {wait.sla:g} s)"
    told = "\n".join(filter(None, [said, wait.error, wait.explanation]))
    return extras.html(f"<pre>{html.escape(printable(told))}</pre>")


class _Reports:
    """In the process that has the session: everything that is written at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings = config.stash[SETTINGS_KEY]
        self.started_at = timestamp()
        self.tests: dict[str, TestFacts] = {}
        self.began: float | None = None
        self.ended: float | None = None
        self.evidence: Evidence | None = None
        self.system: DeployedSystem | None = None
        self.record: Any = None
        self.versions: dict[str, str] = {}
        self.problems: list[str] = []
        self.exit_status = 0
        self.interrupted = False
        self.written: list[str] = []
        self.done = False

    def pytest_keyboard_interrupt(self) -> None:
        """Remember that the session was interrupted."""
        self.interrupted = True

    def pytest_runtest_logstart(self) -> None:
        """Remember when the first test began."""
        self.began = self.began or timestamp()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome of a test's phase, also from a worker."""
        from event_harness.reporting.session_facts import TestFacts

        self.ended = timestamp()
        worker = str(getattr(report, "worker_id", ""))
        test = self.tests.setdefault(
            report.nodeid, TestFacts(report.nodeid, "interrupted", 0.0, worker=worker)
        )
        test.duration = round(test.duration + report.duration, 4)
        if report.failed:
            test.outcome = "failed" if report.when == "call" else "error"
            test.error = test.error or _message(report)
        elif report.skipped:
            test.outcome = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        elif report.when == "call":
            test.outcome = "passed"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Read what is known of the events, while the deployment is there."""
        self.exit_status = int(exitstatus)
        try:
            with explained():
                self._gather()
                self._add_to_junit()
        except HarnessError as error:
            self.problems.append(str(error))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the reports, after the deployment was destroyed, and say where they are."""
        self.write()
        for line in self.written:
            terminalreporter.write_line(f"event-harness: {printable(line)}")

    def pytest_unconfigure(self) -> None:
        """Write the reports, if there was no summary."""
        self.write()

    def _gather(self) -> None:
        session = self.config.stash.get(SESSION_KEY, None)
        if session is not None:
            self.system, self.record = session.known_system, session.record
            self.versions |= session.versions()
        elif self.settings["resources"] and any(test.worker for test in self.tests.values()):
            # Each worker has found the described system itself; there is nothing to deploy or to open.
            self.system = own_session(self.config).system()
        if self.system is None:
            return
        from event_harness.deployments.journals import journal_directory
        from event_harness.reporting.evidence import BUDGET, INTERRUPTED, gather

        self.evidence = gather(
            self.system,
            journal_directory(self.system, state_dir(self.config)),
            self.config.stash[GROUP_KEY],
            self.started_at,
            bodies=self.settings["report_bodies"],
            budget=INTERRUPTED if self.interrupted else BUDGET,
        )

    def _add_to_junit(self) -> None:
        from _pytest.junitxml import xml_key

        xml = self.config.stash.get(xml_key, None)
        if xml is not None and self.evidence is not None:
            from event_harness.reporting.properties import of_session

            for name, value in of_session(self.facts()):
                xml.add_global_property(name, value)

    def facts(self, history: Any = ()) -> dict[str, Any]:
        """The facts as they are known now."""
        from event_harness.reporting.evidence import Evidence
        from event_harness.reporting.facts import build

        evidence, tests = self.evidence or Evidence(), list(self.tests.values())
        return build(self._session_facts(), tests, evidence, history, self.problems)

    def write(self) -> None:
        """Write everything that is asked for, once. What can't be written is said and fails nothing."""
        if self.done:
            return
        self.done = True
        used = self.evidence is not None or SESSION_KEY in self.config.stash
        if not used and not (self.settings["report"] or self.settings["otlp"]):
            return
        try:
            with explained():
                self._write()
        except HarnessError as error:
            self.written.append(f"the report could not be written: {error}")
            if not self.config.pluginmanager.hasplugin("terminalreporter"):
                print(f"event-harness: {error}", file=sys.stderr)  # noqa: T201

    def _write(self) -> None:
        from event_harness.reporting import history, markdown, otlp, output

        summary = os.environ.get(SUMMARY)
        if not (self.settings["report"] or self.settings["otlp"] or summary):
            return
        facts = self.facts()
        if self.evidence is not None:
            facts["history"] = history.append(state_dir(self.config), history.entry(facts))
        else:
            facts["history"] = history.read(state_dir(self.config))
        if self.settings["report"]:
            page = output.write(facts, self.config.invocation_params.dir / self.settings["report"])
            self.written.append(f"report: {page}")
        if self.settings["otlp"]:
            path = self.config.invocation_params.dir / self.settings["otlp"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(otlp.spans(facts)), encoding="utf-8")
            self.written.append(f"spans: {path}")
        if summary:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(markdown.summary(facts))

    def _session_facts(self) -> "SessionFacts":
        from event_harness.reporting.session_facts import SessionFacts, durations
        from event_harness.reporting.versions import versions

        now = timestamp()
        record = self.record
        region = record.region if record is not None else ""
        deployment_id = record.deployment_id if record is not None else ""
        return SessionFacts(
            outcome=self._outcome(),
            started_at=round(self.started_at, 3),
            ended_at=round(now, 3),
            target=str(self.settings["target"]),
            region=self.system.target.region if self.system else region,
            deployment_id=self.system.deployment_id if self.system else deployment_id,
            sla=self.settings["sla"],
            versions=versions() | self.versions,
            durations=durations(record, self.began, self.ended, self.started_at),
        )

    def _outcome(self) -> str:
        if self.interrupted:
            return "interrupted"
        if self.system is None and SESSION_KEY in self.config.stash:
            return "deployment failed"
        return {0: "passed", 1: "failed", 2: "interrupted", 5: "no tests"}.get(self.exit_status, "error")


def _told(error: BaseException, when: str) -> str:
    """The message of the harness's own error, else nothing. The waits of a test keep their explanations."""
    report = getattr(error, "report", None)
    if not isinstance(error, HarnessError) and not hasattr(error, "uncut"):
        return ""
    if report is None or when == "call":
        return uncut(error)
    return "\n".join([uncut(error), *report.full().split("\n")[1:]])


def _message(report: pytest.TestReport) -> str:
    """The whole message of a failure, without empty lines before it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = getattr(report, "event_harness_error", "")
    text = text or (crash.message if crash is not None else str(report.longrepr))
    return text.strip("\n")[:_ERROR]
