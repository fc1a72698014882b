"""Which process listens on a port is read from Linux's table of sockets."""

import os
import socket
import sys

import pytest

from event_harness.machine import ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the table is Linux's")

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
QUEUES = "00000000:00000000 00:00000000 00000000     0        0"


def row(port: int, inode: int, state: str = "0A", address: str = "0100007F") -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} {QUEUES} {inode}"


def table(tmp_path, *rows: str):
    """A table as the kernel writes it: each line has the same length."""
    file = tmp_path / "tcp"
    file.write_text("".join(f"{line:<149}\n" for line in (HEADING, *rows)))
    return file


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], []),
        ([row(4566, 11)], ["11"]),
        ([row(4566, 11), row(80, 12), row(4566, 13, address="00000000")], ["11", "13"]),
        ([row(80, 12)], []),
        ([row(4566, 12, state="01")], []),
    ],
    ids=["none", "one", "two-of-three", "another-port", "a-connection"],
)
def test_only_sockets_that_listen_on_the_port_count(tmp_path, rows, found):
    assert list(ports._listening_sockets(table(tmp_path, *rows), 4566)) == found


def test_connections_are_not_read(tmp_path):
    behind = table(tmp_path, row(4566, 11), row(5000, 12, state="06"), "not a row of the table")
    assert list(ports._listening_sockets(behind, 4566)) == ["11"]


def test_lines_of_another_length_are_read_too(tmp_path):
    file = table(tmp_path)
    file.write_text(f"{HEADING}\n{row(80, 12)}\n{row(4566, 11)}\n")
    assert list(ports._listening_sockets(file, 4566)) == ["11"]


def test_a_process_that_is_gone_listens_on_nothing():
    assert not ports.listens(2**22 + 1, 4566)


def test_a_process_listens_that_holds_such_a_socket(monkeypatch):
    one, other = socket.socketpair()
    with one, other:
        inode = str(os.fstat(one.fileno()).st_ino)
        monkeypatch.setattr(ports, "_listening_sockets", lambda *_: iter([inode]))
        assert ports.listens(os.getpid(), 4566)
    assert not ports.listens(os.getpid(), 4566)


def test_a_file_at_the_place_of_a_socket_is_no_socket(tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "_listening_sockets", lambda *_: iter(["1"]))
    assert not ports.listens(os.getpid(), 4566)
