"""The names that the texts of a configuration hold, whatever expression they stand in."""

import fnmatch
import re
from collections.abc import Iterable

from event_harness.terraform.configuration import Configuration
from event_harness.terraform.copying import LEFT_OUT

_TEXTS = re.compile(r"\.(tf|tofu|tfvars)(\.json)?$")
_EXCLUDES = re.compile(r"\bexcludes\s*=\s*\[[^\]]*\]")


class Names:
    """The texts of a configuration, to see whether they name a directory."""

    def __init__(self, tree: Iterable[Configuration]) -> None:
        files = [file for one in tree for file in one.directory.iterdir() if _TEXTS.search(file.name)]
        texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
        self.texts = [_EXCLUDES.sub("", text) for text in texts]
        self._wanted: dict[str, bool] = {}

    def want(self, name: str) -> bool:
        """Whether a name stands in them as a text or a part of a path, but for what an archive leaves out."""
        if name not in self._wanted:  # a project has `__pycache__` a hundred times
            self._wanted[name] = self._stands(name)
        return self._wanted[name]

    def _stands(self, name: str) -> bool:
        pattern = re.compile(rf"""(?<=["'/}}\s]){re.escape(name)}(?=["'/$\\])""")
        return any(pattern.search(text) for text in self.texts)


def left_out_named(text: str) -> list[str]:
    """The names in a text of directories that a view leaves out: ".git" in "./.git/HEAD"."""
    parts = dict.fromkeys(re.split(r"[^\w.+@-]+", text))
    return [part for part in parts if any(fnmatch.fnmatchcase(part, pattern) for pattern in LEFT_OUT)]
