"""The ids of all inputs so far: they decide which input a key, a message or a log line belongs to."""

import re
from collections.abc import Iterable, Iterator

from event_harness.system.correlation import ULID

_FRESH = re.compile(ULID)
_TAIL = re.compile(r"[^\s\"'`,;|&?#(){}\[\]<>\\]*")  # what belongs to the word that an id begins
_CLOSING = ".:!…"  # punctuation behind a word


class KnownIds:
    """The correlation ids of all inputs so far, and what may follow an id in a key.

    An id is matched whole: `order.txt` isn't `order.txt.copy.txt`. In a key, what a pattern puts behind its
    asterisk may follow: with `in/*.csv` the key `in/ID.csv` carries ID. An id that ends with a ULID of ours
    may have any extension: no other id begins with it. If several ids fit, the longest wins.

    Args:
        patterns: Of keys, each with an asterisk in the place of the id; others are ignored.
    """

    def __init__(self, patterns: Iterable[str | None] = ()) -> None:
        self.given: dict[str, str | None] = {}  # id -> the id that the input's service has given it, if any
        self._endings: set[str] = set()
        for pattern in patterns:
            self.learn(pattern)

    def __contains__(self, correlation_id: object) -> bool:
        return correlation_id in self.given

    def note(self, correlation_id: str, given: str | None = None) -> None:
        """Remember an input of this id, and the id that its service has given it."""
        if given or correlation_id not in self.given:
            self.given[correlation_id] = given

    def learn(self, pattern: str | None) -> None:
        """Remember what may follow an id in the keys of a pattern such as `in/*.csv`."""
        _, asterisk, ending = (pattern or "").partition("*")
        if asterisk and ending:
            self._endings.add(ending)

    def carries(self, text: str, correlation_id: str) -> bool:
        """Whether a text, such as an object's key, carries this id and no longer one.

        Text before the id doesn't matter: the session id is unique.
        """
        at = text.rfind(correlation_id) if correlation_id else -1
        if at < 0:
            return False
        found = (one for one in self._within(text[at:]) if one == correlation_id or one in self)
        return next(found, None) == correlation_id

    def owner(self, text: str, session_id: str) -> str | None:
        """The input of a session whose id a text carries; see `carries`."""
        at = text.rfind(f"{session_id}/")
        return next((one for one in self._within(text[at:]) if one in self), None) if at >= 0 else None

    def mentions(self, text: str, correlation_id: str) -> bool:
        """Whether free text, such as a log line, names this id. Its ULID is enough, if it has one of ours."""
        session, _, case = correlation_id.partition("/")
        fresh = _FRESH.match(case)
        own = fresh[0] if fresh else correlation_id
        for match in re.finditer(rf"(?<![\w-]){re.escape(own)}(?![\w-])", text):
            tail = _TAIL.match(text, match.end())
            word = own + (tail[0] if tail else "").rstrip(_CLOSING)
            if not fresh:
                if self.carries(word, correlation_id):
                    return True
            elif self.owner(f"{session}/{word}", session) in (None, correlation_id):
                return True
        return False

    def resembles(self, other: str, correlation_id: str) -> bool:
        """Whether an id that no input has is probably this one, changed: it holds the whole part behind `/`.

        The part may have something before it; behind it only what `carries` allows.
        """
        _, _, case = correlation_id.partition("/")
        if fresh := _FRESH.match(case):
            return fresh[0] in other
        return any(
            re.search(rf"(?<![\w-]){re.escape(case or correlation_id)}$", one) for one in self._within(other)
        )

    def _within(self, text: str) -> Iterator[str]:
        """What a text that begins with an id may have as that id, the longest first."""
        endings = (text.removesuffix(ending) for ending in self._endings if text.endswith(ending))
        found = {text, *endings, *(stem for stem in _stems(text) if _ends_fresh(stem))}
        yield from sorted(found, key=len, reverse=True)


def _ends_fresh(text: str) -> bool:
    return bool(_FRESH.fullmatch(text[-26:]))


def _stems(text: str) -> Iterator[str]:
    """A text without one extension after another: `a.b`, `a` of `a.b.c`."""
    while (dot := text.rfind(".", text.rfind("/") + 1)) > 0:
        text = text[:dot]
        yield text
