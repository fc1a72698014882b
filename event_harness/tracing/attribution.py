"""Says which inputs a text names: a line of a log, a key, the text of a message."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus

from event_harness.system.correlation import ULID, session_id_of
from event_harness.system.known_ids import KnownIds

_FRESH = re.compile(rf"(?<![\w-]){ULID}(?![\w-])")
_MESSAGE = re.compile(r"(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])")
_WORD = re.compile(r"[^\s\"'`,;|&?#(){}\[\]<>\\]*")
_CLOSING = ".:!…"  # punctuation behind a word


class Attribution:
    """Knows all inputs, and finds those that a text names. It takes no longer for thousands than for one.

    A text names an input by its correlation id, by the fresh part of it, or by the id of its message. The
    fresh part is unique by itself; an id of the test's own choice counts only with its session id before it.

    Args:
        patterns: Of keys, each with an asterisk in the place of the id; others are ignored.
    """

    def __init__(self, patterns: Iterable[str | None] = ()) -> None:
        self._known = KnownIds(patterns)
        self._by_fresh: dict[str, set[str]] = {}
        self._by_message: dict[str, str] = {}
        self._sessions: set[str] = set()
        self._session: re.Pattern[str] | None = None

    def add(self, correlation_id: str, message_id: str | None = None) -> None:
        """Know an input, and the id that its service has given it."""
        if message_id:
            self._by_message[message_id] = correlation_id
        if correlation_id in self._known:
            return
        self._known.note(correlation_id, message_id)
        for fresh in _FRESH.findall(correlation_id):
            self._by_fresh.setdefault(fresh, set()).add(correlation_id)
        session = session_id_of(correlation_id)
        if session not in self._sessions:
            self._sessions.add(session)
            self._session = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, self._sessions))})/")

    def __len__(self) -> int:
        """The number of known inputs and message ids: it grows with each that is new."""
        return len(self._known.given) + len(self._by_message)

    def may_name(self, text: str) -> bool:
        """Whether a text has the form of one that names an input, known or not yet known."""
        plain = unquote_plus(text)
        by_session = self._session is not None and self._session.search(plain)
        return bool(by_session or _FRESH.search(plain) or _MESSAGE.search(plain))

    def named_in(self, text: str) -> set[str]:
        """The correlation ids of the inputs that a text names."""
        plain = unquote_plus(text)
        messages = {self._by_message[one] for one in _MESSAGE.findall(plain) if one in self._by_message}
        return {*self._whole(plain), *self._fresh(plain), *messages}

    def _whole(self, text: str) -> Iterator[str]:
        for match in self._session.finditer(text) if self._session else ():
            word = _word(text, match.start())
            if owner := self._known.owner(word, session_id_of(word)):
                yield owner

    def _fresh(self, text: str) -> Iterator[str]:
        for match in _FRESH.finditer(text):
            candidates = self._by_fresh.get(match[0], set())
            word = _word(text, match.start())
            for session in {session_id_of(one) for one in candidates}:
                owner = self._known.owner(f"{session}/{word}", session)
                if owner or len(candidates) == 1:
                    yield owner or next(iter(candidates))


def _word(text: str, start: int) -> str:
    found = _WORD.match(text, start)
    return found[0].rstrip(_CLOSING) if found else ""
