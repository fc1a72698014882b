"""Events are seen while tests run: from a second process, and in the line about a wait that lasts."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest
from projects import Project

BAD = b"\xff\xfe"
WAITS = f"""
def test_bad_text_is_awaited(producer, listener):
    listener.wait_for_failure(producer.send({BAD!r}), timeout=300)
"""


@pytest.fixture
def command(deployment, request):
    """The command `event-harness` in this session's project."""

    def run(*arguments):
        command = [sys.executable, "-m", "event_harness.cli", *arguments]
        done = subprocess.run(
            command, cwd=request.config.rootpath, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def watched(command, deployment, sent):
    """An event as another process sees it, once all its invocations have ended: results come before that."""
    deadline = time.monotonic() + 120
    while True:
        lines = command("watch", deployment.deployment_id, "--once", "--json").splitlines()
        (event,) = [one for one in map(json.loads, lines) if one["id"] == sent.correlation_id]
        attempts = [one for component in event["components"] for one in component["attempts"]]
        attempts += [result["listener"] for result in event["results"]]
        if all(one and one["end"] for one in attempts) or time.monotonic() > deadline:
            return event


def test_another_process_sees_the_way_of_an_event_with_its_times_in_order(
    command, deployment, producer, listener, request
):
    sent = producer.send("seen from outside")
    listener.wait_for(sent)
    event = watched(command, deployment, sent)
    assert (event["state"], event["test"]) == ("arrived", request.node.nodeid)
    source, processor, destination = event["components"]
    (attempt,) = processor["attempts"]
    (result,) = event["results"]
    times = [source["at"], attempt["start"], destination["at"], result["received_at"], result["seen_at"]]
    assert times == sorted(times)
    assert attempt["end"] >= attempt["start"]
    assert result["listener"]["start"] <= result["received_at"] <= result["listener"]["end"] + 0.1
    assert destination["at"] == result["event_time"]


def test_another_process_sees_each_attempt_at_an_input_that_fails(command, deployment, producer, listener):
    sent = producer.send(BAD)
    listener.wait_for_failure(sent, timeout=300)
    event = watched(command, deployment, sent)
    assert event["state"] == "failed"
    attempts = event["components"][1]["attempts"]
    assert len(attempts) == 3
    assert all("NotUtf8Error" in one["error"] for one in attempts)
    said = command("logs", "text_processor", "--id", sent.case_id, "--deployment", deployment.deployment_id)
    assert said.splitlines()[0] == sent.correlation_id
    assert said.count("REPORT RequestId") == 3
    frames = re.findall(r'^ +text_processor [\d:. ]+   File "([^"]+)", line \d+, in ', said, re.MULTILINE)
    assert any(name.endswith("functions/text_processor/app.py") for name in frames), said
    assert "_worker.py" not in said


@pytest.mark.parametrize("command", ["watch", "logs"])
def test_events_are_followed_on_a_terminal_until_ctrl_c(deployment, producer, listener, request, command):
    id_ = deployment.deployment_id
    arguments = {"watch": ["watch", id_], "logs": ["logs", "--follow", "--deployment", id_]}[command]
    own, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "event_harness.cli", *arguments],
        cwd=request.config.rootpath,
        # So many lines that the inputs of tests beside this one move no row out of sight.
        env=os.environ | {"TERM": "xterm", "COLUMNS": "200", "LINES": "1000"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = ""
        for _ in range(2):
            sent = producer.send("followed")
            listener.wait_for(sent)
            ulid = sent.case_id[:26]
            for part in written(own):
                shown += part
                if ulid in shown:
                    break
            assert ulid in shown
        process.send_signal(signal.SIGINT)
        shown += "".join(written(own))
    os.close(own)
    assert process.returncode == 0, shown
    # The command's own one begins its line. Those of functions, which other tests let fail, don't.
    assert not re.search(r"^Traceback", shown, re.MULTILINE)


def test_a_wait_that_lasts_is_told_below_pytests_line(deployment, tmp_path):
    target = deployment.target
    project = Project(
        tmp_path / "project", WAITS, EVENT_HARNESS_TARGET=target.endpoint_url, AWS_REGION=target.region
    )
    (project.directory / "map.json").write_text(json.dumps(deployment.outputs["event_harness"]))
    arguments = ["-v", "--harness-resources=map.json", "--harness-readiness=off", "-p", "no:cacheprovider"]
    shown = on_a_terminal(project, arguments)
    assert re.search(r"test_bad_text_is_awaited \r?\n\x1b\[2Kwaiting \d+ s, 0 of 1 arrived", shown)
    # The first reading of the logs may come before the first attempt.
    assert re.search(r"\x1b\[2Kwaiting \d+ s, 0 of 1 arrived(, 1 failed|; \w)", shown)
    assert re.search(r"\x1b\[1B\r\x1b\[2K\x1b\[1A\x1b\[\d+G(\x1b\[\d+m)*PASSED", shown)


def on_a_terminal(project, arguments):
    """What pytest writes to a terminal."""
    own, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=project.directory,
        env=project.environ | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        text = "".join(written(own))
    os.close(own)
    assert process.returncode == 0, text
    return text


def written(terminal):
    """What is written to a terminal, part by part, until its other end is closed."""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            return
        if not part:
            return
        yield part.decode(errors="replace")
