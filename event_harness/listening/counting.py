"""How many results of an input must come: in all, from one source, or from each source."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from event_harness.errors import SettingError
from event_harness.results.result import Result


def check_source(name: object, sources: Iterable[str]) -> str | None:
    """Check the name of a source; None stands for all sources.

    Raises:
        SettingError: The listener has no such source. The message names those that it has.
    """
    known = list(sources)
    if name is None or (isinstance(name, str) and name in known):
        return name
    raise SettingError(f"source {name!r}: no such source; the listener has: {', '.join(known) or 'none'}")


def whole_number(name: str, value: object, least: int = 1) -> int:
    """Check a whole number.

    Raises:
        SettingError: It isn't a whole number, or is less than `least`. The message names the argument.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingError(f"{name} is {value!r}: must be a whole number from {least}")
    return value


@dataclass(frozen=True)
class Expected:
    """The exact number of results.

    Attributes:
        total: The number, in all or from one source.
        source: The source whose results count; None for all.
        each: Name of a source -> the number of its results. No other source may have any. None if `total`
            says it.
    """

    total: int
    source: str | None = None
    each: Mapping[str, int] | None = None

    @classmethod
    def of(cls, n: object, source: str | None, sources: Iterable[str]) -> "Expected":
        """Check the arguments of `expect_exactly`.

        Raises:
            SettingError: They can't be used.
        """
        if not isinstance(n, Mapping):
            return cls(whole_number("n (for none use expect_none)", n), check_source(source, sources))
        if source is not None:
            raise SettingError("n names the sources already: leave out `source`")
        known = list(sources)
        for name, number in n.items():
            if check_source(name, known) is None:
                raise SettingError("n: None isn't the name of a source")
            whole_number(f"n[{name!r}]", number, 0)
        total = sum(n.values())
        whole_number("the sum of n (for none use expect_none)", total)
        return cls(total, None, dict(n))

    @property
    def awaited(self) -> list[str] | None:
        """The sources that must have results; None for any."""
        if self.each is not None:
            return [name for name, number in self.each.items() if number]
        return [self.source] if self.source else None

    def counted(self, results: Iterable[Result]) -> list[Result]:
        """The results that count."""
        return [result for result in results if self.source is None or result.source == self.source]

    def short(self, results: Iterable[Result]) -> bool:
        """Whether results are missing yet."""
        counted = self.counted(results)
        if self.each is None:
            return len(counted) < self.total
        came = Counter(result.source for result in counted)
        return any(came[name] < number for name, number in self.each.items())

    def over(self, results: Iterable[Result]) -> bool:
        """Whether too many results have come."""
        counted = self.counted(results)
        if self.each is None:
            return len(counted) > self.total
        return any(n > self.each.get(name, 0) for name, n in Counter(r.source for r in counted).items())

    def tally(self, results: Iterable[Result]) -> str:
        """How many of how many results came: `1 of 2 results`, `payouts 1 of 2 and audit 1 of 1 results`."""
        counted = self.counted(results)
        if self.each is None:
            origin = f" from {self.source}" if self.source else ""
            return f"{len(counted)} of {self.total} results{origin}"
        came = Counter(result.source for result in counted)
        names = {**dict.fromkeys(self.each), **came}
        return f"{' and '.join(f'{name} {came[name]} of {self.each.get(name, 0)}' for name in names)} results"

    def __str__(self) -> str:
        if self.each is None:
            return f"exactly {self.total}{f' from {self.source}' if self.source else ''}"
        return "exactly " + " and ".join(f"{number} from {name}" for name, number in self.each.items())
