"""Runs reads of AWS in threads of their own, and lets waiting threads sleep until one has news.

An asynchronous exception (Ctrl-C, pytest-timeout) strikes a waiting thread at any instruction. So a waiting
thread changes nothing that must be changed back: it starts threads, and it sleeps. `threading` is no help:
its threads and conditions take locks in Python, and an exception between two instructions leaves them taken.
"""

import _thread
from collections.abc import Callable

Spawn = Callable[[Callable[[], None]], None]


def in_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread that doesn't keep the process alive."""
    _thread.start_new_thread(work, ())


class Sleepers:
    """Threads that sleep until they are woken or until their time has passed."""

    def __init__(self) -> None:
        self._asleep: list[_thread.LockType] = []  # one lock each; the thread that takes it out releases it

    def enter(self) -> _thread.LockType:
        """Make a lock to sleep on. From now on a wake reaches it, so look for news after this call."""
        lock = _thread.allocate_lock()
        lock.acquire()
        self._asleep.append(lock)
        return lock

    def leave(self, lock: _thread.LockType) -> None:
        """Sleep on this lock no more."""
        try:
            self._asleep.remove(lock)
        except ValueError:
            return  # it was woken

    def wake(self) -> None:
        """Wake all who sleep now."""
        while True:
            try:
                lock = self._asleep.pop()
            except IndexError:
                return
            lock.release()
