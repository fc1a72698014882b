"""watch and logs: what they print of a system of fakes."""

import argparse
import json
import re
from datetime import UTC, datetime

import pytest
from listener_fakes import World

from event_harness.commands import logs, watch
from event_harness.commands.events_table import counted, line_of, shortened, table
from event_harness.deployments import followed
from event_harness.deployments.followed import Followed
from event_harness.errors import SettingError
from event_harness.machine.json_lines import JsonLines
from event_harness.system.deployed_system import DeployedSystem
from event_harness.tracing.journal import FILE, Journal
from event_harness.tracing.timeline import Arrival, Attempt, Timeline, Visit

REQUEST = "11111111-1111-1111-1111-11111111111{}"
SENT = datetime(2026, 11, 26, 3, 39, 17, 495000, tzinfo=UTC).timestamp()


def event(name, *visits, state="arrived", arrivals=()):
    return Timeline(f"s/{name}", "", "source", "", 1, SENT, state, visits, arrivals)


ARRIVED = (Arrival("out", "e", None, None, SENT + 0.18, SENT + 0.18, 1, 5, None),)
SOURCE, OPEN = Visit("source", "s3", SENT), Visit("destination", "s3")
DONE = Visit("double", "lambda", None, (Attempt(SENT + 0.031, SENT + 0.076, "r"),))
ERRED = Visit("double", "lambda", None, (Attempt(SENT, SENT, "r"), Attempt(SENT + 1, SENT + 1.5, "r", "bad")))


@pytest.fixture
def world(tmp_path):
    world = World()
    world.listener.journal = Journal(JsonLines(tmp_path / FILE), "run", now=world.clock)
    return world


@pytest.fixture
def options(world, tmp_path, monkeypatch):
    """The options of a command about a deployment whose directory is there."""
    (tmp_path / "record.json").touch()
    system = DeployedSystem("", world.target, {}, described=world.resources)
    found = Followed("d1", tmp_path)
    monkeypatch.setattr(watch, "opened", lambda _options: (found, system))
    monkeypatch.setattr(logs, "opened", lambda _options: (found, system))
    monkeypatch.setattr(watch, "timestamp", lambda: 4600.0)
    common = {"project": tmp_path, "state_dir": None, "deployment_id": None, "resources": None}
    return argparse.Namespace(**common, json=False, once=True, component=None, follow=False, id=None)


def rendered(events, world, width):
    from rich.console import Console

    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(table(events, world.resources, width))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_wide_table_has_a_column_per_component(world):
    events = [
        event("a", SOURCE, DONE, OPEN, arrivals=ARRIVED),
        event("b", SOURCE, ERRED, OPEN, state="in flight"),
    ]
    assert [re.split(" {2,}", line) for line in rendered(events, world, 120)] == [
        ["event", "sent", "source", "processor", "result", "state"],
        ["a", "03:39:17.495", "+0 ms", "+31 ms, 45 ms", "+180 ms", "arrived"],
        ["b", "03:39:17.495", "+0 ms", "+1.00 s, 500 ms, error (2 attempts)", "–", "in flight"],
    ]


SLOW = Visit("a_long_name_of_a_function", "lambda", None, (Attempt(SENT + 61, SENT + 149.2, "r"),) * 2)


def test_a_narrow_table_tells_the_way_in_one_column_and_breaks_no_value(world):
    ulid = "01M8AYZGF6WJ7MGXCTF86MPQ7N"
    one = event(f"{ulid}/in.txt", SOURCE, DONE, SLOW, arrivals=ARRIVED)
    lines = rendered([one], world, 72)
    assert lines[0].split() == ["event", "sent", "way", "state"]
    assert lines[1].startswith("…GXCTF86MPQ7N  03:39:17.495  source +0 ms;")
    assert [line[29:61].strip() for line in lines[1:]] == [
        "source +0 ms;",
        "double +31 ms, 45 ms;",
        "a_long_name_of_a_function",
        "+1 min 1 s, 1 min 28 s",
        "(2 attempts); result +180 ms",
    ]
    assert all(len(line) <= 72 for line in lines)
    assert ulid.endswith("GXCTF86MPQ7N")


def test_a_table_for_a_screen_shows_the_newest_events_that_fit(world):
    from rich.console import Console

    events = [event(f"01M8AYZGF6WJ7MGXCTF86MPQ{n:02}", SOURCE, DONE, SLOW) for n in range(9)]
    for height in (4, 12, 60):
        console = Console(width=72, highlight=False)
        with console.capture() as captured:
            console.print(table(events, world.resources, 72, height))
        lines = captured.get().splitlines()
        shown = [line.split()[0][-2:] for line in lines if line.startswith("…")]
        assert shown == [f"{n:02}" for n in range(9)][-len(shown) :]
        assert len(shown) == {4: 1, 12: 2, 60: 9}[height]
        assert len(lines) <= max(height, 6)


def test_an_event_is_one_line_and_all_are_counted(world):
    one = event("a", SOURCE, DONE, arrivals=ARRIVED)
    assert line_of(one) == ("03:39:17.495 s/a  arrived    source +0 ms; double +31 ms, 45 ms; result +180 ms")
    assert counted([one, event("b", state="failed")]) == "2 events, 1 arrived, 1 failed"


def test_ids_are_shortened_only_where_they_stay_unique():
    assert shortened([event("a/in.txt"), event("b/in.txt")]) == ["a", "b"]
    assert shortened([event("a/1"), event("a/2")]) == ["a/1", "a/2"]


def test_control_characters_in_ids_do_not_reach_the_terminal(world):
    assert "\x1b" not in "".join(rendered([event("a\x1b[2J", SOURCE, DONE, OPEN)], world, 120))
    assert "\x1b" not in line_of(event("a\x1b[2J"))


def test_watch_prints_a_json_line_for_each_change_and_ends_with_the_deployment(
    world, options, capsys, monkeypatch, tmp_path
):
    options.json, options.once = True, False
    sent = world.send()
    steps = iter(
        [
            lambda: None,
            lambda: world.table.record(sent.correlation_id),
            lambda: None,
            lambda: (tmp_path / "record.json").unlink(),
        ]
    )
    monkeypatch.setattr(watch.interrupts, "pause", lambda _seconds: next(steps)())
    assert watch.run(options) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["state"] for line in lines] == ["in flight", "arrived"]
    assert {line["id"] for line in lines} == {sent.correlation_id}
    assert printed.err == "event-harness: deployment d1 is destroyed\n"


def test_ctrl_c_is_the_usual_end_of_watch(world, options, monkeypatch):
    def interrupted(_seconds):
        raise KeyboardInterrupt

    options.once = False
    monkeypatch.setattr(watch.interrupts, "pause", interrupted)
    assert watch.run(options) == 0


def test_logs_puts_the_lines_of_one_input_together(world, options, capsys):
    one, two = world.send(), world.send()
    for number, (sent, at) in enumerate([(one, 1000.1), (two, 1000.2), (one, 1000.3)]):
        world.logs.invoked("/processor", REQUEST.format(number), f"saw {sent.correlation_id}", at=at)
    world.logs.invoked("/listener", REQUEST.format(9), "\x1b[2Jstored", at=1000.4)
    assert logs.run(options) == 0
    groups = capsys.readouterr().out.split("\n\n")
    assert [group.splitlines()[0].strip() for group in groups] == [
        one.correlation_id,
        two.correlation_id,
        "no input is named",
    ]
    assert groups[0].count("saw ") == 2
    assert "event_listener  00:16:40.400  [2Jstored" in groups[2]
    assert "RequestId" not in "".join(groups)  # those lines only mark where an invocation begins and ends


def test_logs_of_one_input_and_of_one_function(world, options, capsys):
    one, two = world.send(), world.send()
    for number, sent in enumerate([one, two]):
        world.logs.invoked("/processor", REQUEST.format(number), f"saw {sent.correlation_id}", at=1000.1)
    options.id, options.component = two.case_id, "processor"
    assert logs.run(options) == 0
    printed = capsys.readouterr().out
    assert two.correlation_id in printed
    assert one.correlation_id not in printed
    options.component = "event_listener"
    assert logs.run(options) == 1
    assert "no log line names" in capsys.readouterr().err


def test_an_unknown_function_is_refused_with_the_names_that_there_are(options):
    options.component = "nothere"
    with pytest.raises(SettingError, match=r"'nothere' is no function.*processor, event_listener"):
        logs.run(options)


@pytest.mark.parametrize(
    ("tty", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colours_only_on_a_terminal_and_without_no_color(
    world, options, capsys, monkeypatch, tty, no_color, coloured
):
    world.logs.invoked("/processor", REQUEST.format(1), "[ERROR] bad", at=1000.1)
    monkeypatch.setattr(logs.sys.stdout, "isatty", lambda: tty, raising=False)
    monkeypatch.setenv("NO_COLOR", no_color)
    logs.run(options)
    printed = capsys.readouterr().out
    assert ("\x1b[36m" in printed) == coloured
    assert ("\x1b[1;31m" in printed) == coloured


def test_without_a_deployment_one_line_says_how_to_get_one(tmp_path):
    with pytest.raises(SettingError, match=r"no deployment is in progress or kept in .*--harness-keep"):
        followed.find(tmp_path, None)
    with pytest.raises(SettingError, match="'d1' is no deployment in progress or kept"):
        followed.find(tmp_path, "d1")


def test_the_shells_file_of_up_names_the_emulator():
    shell = (
        "export AWS_ENDPOINT_URL=http://127.0.0.1:1\nexport A='b c'\nexport NO_PROXY no_proxy=\"$NO_PROXY\"\n"
    )
    assert followed._exported(shell) == {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "A": "b c"}
