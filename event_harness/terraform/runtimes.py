"""Lambda runtimes that the provider in use doesn't know, on an emulator.

A provider refuses runtimes that are newer than itself. The emulator runs every Python runtime on one
interpreter, and every Node.js runtime on one Node.js, whatever the runtime's name. So there a function gets
the newest runtime of its language that the provider knows. On AWS nothing is changed.
"""

import json
import re
from pathlib import Path

from event_harness.machine.cache import cache_directory, write_atomically
from event_harness.terraform import modules
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.generated import RUNTIMES_OVERRIDE
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.recovery import Failure
from event_harness.terraform.runtime_overrides import StandIns

_REFUSED = re.compile(
    r"expected (?:runtime|compatible_runtimes\.\d+) to be one of \[(?P<known>[^\]]*)\], got \S"
)


class RuntimeSubstitution:
    """Gives functions and layers the runtimes that the provider knows; a `Recovery` of terraform commands.

    Args:
        provider: the provider of the root.
        configuration: the root, in the deployment's own copy.
        data_dir: its TF_DATA_DIR.
        cache: directory that keeps what a provider knows, so that only the first deployment fails at first.
    """

    def __init__(
        self, provider: ProviderInUse, configuration: Path, data_dir: Path, *, cache: Path | None = None
    ) -> None:
        self._provider = provider
        self._configuration = configuration
        self._data_dir = data_dir
        self._cache = cache

    def prepare(self) -> str | None:
        """Substitute after init, before the first plan, if the provider's runtimes are known.

        Returns:
            A line for the user; None if nothing was substituted.
        """
        known = self._provider.runtimes or self._remembered()
        return self._substitute(known) if known else None

    def __call__(self, failure: Failure, used: int) -> str | None:
        """Substitute after terraform's error about a runtime; see `Recovery`."""
        refused = _REFUSED.search(" ".join(error.text for error in failure.errors))
        if refused is None or used:
            return None
        known = tuple(re.findall(r"[\w.-]+", refused["known"]))
        write_atomically(self._memory(), json.dumps(known))
        return self._substitute(known)

    def _substitute(self, known: tuple[str, ...]) -> str | None:
        """Write the overrides; return the line for the user, None if no function needs another runtime."""
        stand_ins = StandIns(known)
        for directory in modules.directories(self._configuration, self._data_dir):
            file = directory / RUNTIMES_OVERRIDE
            file.unlink(missing_ok=True)
            if override := stand_ins.override(Configuration.read(directory, tofu=self._provider.tofu)):
                file.write_text(json.dumps(override, indent=2) + "\n", encoding="utf-8")
        if not stand_ins.said:
            return None
        newest = [name for language, name in stand_ins.newest.items() if language in ("python", "nodejs")]
        return (
            f"{self._provider.name} knows no Lambda runtime after {', '.join(newest)}: "
            f"{'; '.join(stand_ins.said)} (on the emulator only, which runs each language in one version)"
        )

    def _memory(self) -> Path:
        return (
            self._cache or cache_directory()
        ) / f"runtimes-of-{re.sub(r'[^a-z0-9.]+', '-', self._provider.name.lower())}.json"

    def _remembered(self) -> tuple[str, ...]:
        try:
            return tuple(map(str, json.loads(self._memory().read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            return ()
