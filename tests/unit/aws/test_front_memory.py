"""The front tells the harness, and nobody else, how much memory the emulator and its workers take."""

import asyncio
import json
import subprocess
import sys

import psutil
import pytest

from event_harness.aws.front.memory import MemoryReport, taken
from event_harness.aws.front_paths import MEMORY


def asked(monkeypatch, path, key):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAROOT")
    sent = []

    async def send(message):
        sent.append(message)

    async def behind(_scope, _receive, send):
        await send({"status": "behind"})

    signed = f"AWS4-HMAC-SHA256 Credential={key}/20261126/eu-west-1/event-harness/aws4_request, Signature=0"
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", signed.encode()), (b"host", b"127.0.0.1")],
    }
    asyncio.run(MemoryReport(behind)(scope, None, send))
    return sent


def test_it_tells_the_harness_the_bytes_of_all_processes(monkeypatch):
    start, content = asked(monkeypatch, MEMORY, "AKIAROOT")
    assert start["status"] == 200
    assert json.loads(content["body"])["bytes"] > 10_000_000


@pytest.mark.parametrize("key", ["AKIAOTHER", ""])
def test_it_tells_nobody_else(monkeypatch, key):
    assert asked(monkeypatch, MEMORY, key)[0]["status"] == 403


def test_it_hands_other_requests_on(monkeypatch):
    assert asked(monkeypatch, "/bucket/key", "AKIAROOT") == [{"status": "behind"}]


def test_the_workers_count():
    alone = taken(psutil.Process())
    code = "held = bytearray(b'x') * 200_000_000; print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        worker.stdout.readline()
        assert taken(psutil.Process()) > alone + 150_000_000
        worker.communicate("\n")
