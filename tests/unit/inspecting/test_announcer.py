"""A function that waits for a debugger is announced once, as soon as its file is whole."""

import json
import queue

from event_harness.inspecting.debugging import Announcer

DEADLINE = 120  # seconds


def test_each_function_that_waits_is_told_once(tmp_path):
    waiting = tmp_path / "waiting"
    waiting.mkdir()
    said: queue.Queue[str] = queue.Queue()
    announcer = Announcer(tmp_path, lambda: None, said.put)

    def waits(name, port):
        told = {
            "name": name,
            "port": port,
            "code": str(tmp_path / "gone"),
            "handler": "app.py",
            "archive": "",
        }
        partial = tmp_path / "partial"
        partial.write_text(json.dumps(told))
        partial.replace(waiting / f"{port}.json")

    (waiting / "1.json").write_text('{"name"')  # not yet whole
    announcer.start()
    try:
        for name, port in (("orders", 5678), ("payments", 5679)):
            waits(name, port)
            expected = f"{name} waits for a debugger on 127.0.0.1:{port}; its code: {tmp_path / 'gone'}"
            assert said.get(timeout=DEADLINE) == expected
    finally:
        announcer.stop()
    assert said.empty()
