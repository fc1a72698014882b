"""Retired words stay out of code, documents, messages and file names. Decision 10 has the terms in use."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A pattern, as a whole word in any case, and the term to use instead.
RETIRED = {
    r"stations?": "component",
    r"embedded[ _]aws": "local AWS emulator",
    r"keepers?": "supervisor",
    r"weather": "fault injection",
    r"drills?": "resilience test",
    r"canar(?:y|ies)": "readiness probe",
    r"near[ _]miss(?:es)?": "unmatched result",
    r"(?:the|its|their) remains|left-?overs?": "orphaned resources",
    r"census": "inventory",
    r"(?:each|every|another|one) room": "package",
    r"promises?": "guarantee",
    r"mend(?:s|ed|ing)?": "fix",
    r"puts? (?:\w+ )?back": "replay, or restore",
    # A deployment has an id, and a test session has another one.
    r"(?:an?|this|each|every|one|dead|kept|killed|parallel|live)[ _]runs?(?![ _]of)": "deployment or session",
    r"no[ _]run[ _]made": "no test session made",
    r"run[ _-]ids?|runs?' |(?:the|a) run's|harness-reuse[ =]RUN": "deployment id or test session id",
}
# What others have written, and where a retired word has to be named.
EXEMPT = re.compile(
    r"requirements/.*|.*\.json|.*\.min\.js|.*\.png|LICENSE|demo/declaration\.txt|docs/decisions/0010-.*|tests/config/test_words\.py"
)
# A phrase in which such a word means something else.
ALLOWED = re.compile(
    r"wherever this runs|def run_id|listener\.run_id|`session_id`, also `run_id`", re.IGNORECASE
)
WORDS = re.compile(
    "|".join(rf"(?P<w{number}>(?<![A-Za-z])(?:{word})(?![A-Za-z]))" for number, word in enumerate(RETIRED)),
    re.IGNORECASE,
)
INSTEAD = list(RETIRED.values())


def found_in(text: str) -> list[tuple[str, str]]:
    """Each retired word in a text, and the term to use instead."""
    return [
        (found[0], INSTEAD[int((found.lastgroup or "w0")[1:])])
        for found in WORDS.finditer(ALLOWED.sub("", text))
    ]


def files() -> list[str]:
    command = [shutil.which("git") or "git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file() and not EXEMPT.fullmatch(name)]


@pytest.mark.parametrize("folder", sorted({name.partition("/")[0] for name in files()}))
def test_retired_words_do_not_come_back(folder):
    bad = []
    for name in files():
        if name.partition("/")[0] == folder:
            bad += [f"{name}: its name has {word!r}: say {term}" for word, term in found_in(name)]
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
            bad += [
                f"{name}:{number}: {word!r}: say {term}"
                for number, line in enumerate(lines, 1)
                for word, term in found_in(line)
            ]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the keeper of a_station", ["keeper", "station"]),
        ("a dead run left it, by its run_id", ["dead run", "run_id"]),
        ("it runs, and each test that runs runs once", []),
        ("recommended, bookkeeper, headroom, a dry run", []),
    ],
)
def test_a_retired_word_is_found_as_a_word(text, words):
    assert [word for word, _ in found_in(text)] == words
