"""The text processor streams large texts over real connections. Some break, and some texts are wrong."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

FUNCTION = Path(__file__).parents[2] / "functions" / "text_processor"
TEXT = b"a large text " * 300_000  # 4 MB
GROWS = "ŉ".encode()


class _S3(BaseHTTPRequestHandler):
    """As much of S3 as one large text needs. It writes an object only if the whole body came."""

    protocol_version = "HTTP/1.1"  # so it answers `Expect: 100-continue`

    def do_GET(self):
        self.server.reads += 1
        self._answer(200, self.server.source, {"ETag": '"etag"'})

    def do_HEAD(self):
        self._answer(404)

    def do_PUT(self):
        self.server.writes += 1
        wanted = int(self.headers["Content-Length"])
        if self.server.cuts:
            self.rfile.read(self.server.cuts.pop())
            self.close_connection = True
            return
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            self.server.incomplete.release()
            self.close_connection = True
            return
        self.server.written[self.path] = body
        self._answer(200, headers={"ETag": '"part"'})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"<R><UploadId>upload</UploadId></R>")

    def do_DELETE(self):
        self._answer(204)

    def log_message(self, *_):
        pass

    def _answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # the function closes a source that it won't read to its end
            self.close_connection = True


@pytest.fixture
def s3():
    with ThreadingHTTPServer(("127.0.0.1", 0), _S3) as server:
        server.source, server.cuts, server.written = TEXT, [], {}
        server.reads, server.writes, server.incomplete = 0, 0, threading.Semaphore(0)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def process(s3, monkeypatch):
    """Process the source with the function's own modules and client. A part has a megabyte, about."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(FUNCTION)
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3.server_port}",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    import deadline
    import notifications
    import processor
    import storage

    def run():
        version = notifications.SourceVersion("source", "key", "etag")
        plenty = deadline.Deadline(lambda: 600_000)
        return processor.TextProcessor(storage.s3_client(), "destination", 1_000_000).process(version, plenty)

    yield run
    for name in set(sys.modules) - before:  # the other function has modules of the same names
        if getattr(sys.modules[name], "__file__", "").startswith(str(FUNCTION)):
            del sys.modules[name]


WHOLE = "/destination/key"
PLENTY = 60  # seconds, for a machine that is busy


def test_a_large_text_is_read_once_and_written_with_one_call(s3, process):
    assert process().size == len(TEXT)
    assert s3.written == {WHOLE: TEXT.upper()}
    assert (s3.reads, s3.writes) == (1, 1)


def test_after_a_broken_connection_it_is_sent_again_from_its_beginning(s3, process):
    s3.cuts = [2_000_000]
    assert process().size == len(TEXT)
    assert s3.written == {WHOLE: TEXT.upper()}
    assert (s3.reads, s3.writes) == (2, 2)


@pytest.mark.parametrize("end", [b"\xff", "é".encode()[:1], GROWS + b"\xff"])
def test_a_text_that_is_wrong_at_its_end_is_never_sent_as_a_whole(s3, process, end):
    s3.source = TEXT + end
    with pytest.raises(Exception, match=r"not UTF-8 at byte offset 390000\d"):
        process()
    assert s3.incomplete.acquire(timeout=PLENTY)
    assert (s3.written, s3.reads, s3.writes) == ({}, 1, 1)


def test_a_text_whose_length_changes_at_its_end_is_written_in_parts(s3, process):
    s3.source = TEXT + GROWS
    wanted = TEXT.upper() + "ʼN".encode()
    assert process().size == len(wanted)
    assert s3.incomplete.acquire(timeout=PLENTY)
    assert WHOLE not in s3.written
    numbers = range(1, len(s3.written) + 1)
    parts = [s3.written[f"{WHOLE}?uploadId=upload&partNumber={number}"] for number in numbers]
    assert len(parts) > 1
    assert b"".join(parts) == wanted
    assert s3.reads == 2
