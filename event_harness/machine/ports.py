"""TCP ports of this machine's loopback: find a free one, and tell which process listens on one."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

LOOPBACK = "127.0.0.1"
_LISTENING = b"0A"  # the state of a socket in Linux's table
_LINE = 150  # bytes, the length of its lines


def free_port() -> int:
    """A port that is free at this moment. Another process may take it before the caller does."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # Servers set this too, so connections that are closing don't block them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def listens(pid: int, port: int) -> bool:
    """Whether this process listens on the port, over IPv4."""
    if sys.platform == "linux":
        return _listens_on_linux(pid, port)
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp4")
    except psutil.Error:
        return False
    return any(_serves(connection, port) for connection in connections)


def _listens_on_linux(pid: int, port: int) -> bool:
    """Ask the kernel for listening sockets only: psutil has it walk through all connections, for 10 ms."""
    process = Path("/proc", str(pid))
    try:
        sockets = {f"socket:[{inode}]" for inode in _listening_sockets(process / "net" / "tcp", port)}
        with os.scandir(process / "fd") as files:
            return any(_leads_to(file) in sockets for file in files)
    except OSError:
        return False  # it has ended, or is another user's


def _leads_to(file: "os.DirEntry[str]") -> str:
    try:
        return os.readlink(file)
    except OSError:
        return ""  # just closed


def _listening_sockets(table: Path, port: int) -> Iterator[str]:
    """The inodes of the sockets that listen on a port. In the kernel's table they come first."""
    rest = b""
    with table.open("rb", buffering=0) as lines:
        while read := lines.read(_LINE):
            *whole, rest = (rest + read).split(b"\n")
            for line in whole:
                fields = line.split()
                if fields[0] == b"sl":
                    continue  # the heading
                if fields[3] != _LISTENING:
                    return
                if int(fields[1].rpartition(b":")[2], 16) == port:
                    yield fields[9].decode()


def _serves(connection: Any, port: int) -> bool:
    return bool(connection.status == psutil.CONN_LISTEN and connection.laddr.port == port)


def holder(port: int) -> str:
    """The process that listens on a port, as far as this user may know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.pid and _serves(connection, port):
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass  # another user's process, or a system that shows connections only to root

    return "another process"
