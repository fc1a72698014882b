"""The names of the files that the harness writes beside a configuration. They are always its own."""

from pathlib import Path

# The files that overrides.py, runtimes.py and code_overrides.py generate. Terraform merges override files in
# the order of their names, so the tilde puts ours behind those of the user.
OVERRIDE = "~event_harness_override.tf.json"
TAGS_OVERRIDE = "~event_harness_tags_override.tf"
RUNTIMES_OVERRIDE = "~event_harness_runtimes_override.tf.json"
CODE_OVERRIDE = "~event_harness_code_override.tf"
IMPLICIT_PROVIDER = "event_harness_provider.tf.json"
# Only there while `terraform console` answers; see console.py.
EVALUATED = "event_harness_evaluated.tf"
GENERATED = (
    *(OVERRIDE, TAGS_OVERRIDE, RUNTIMES_OVERRIDE, CODE_OVERRIDE, IMPLICIT_PROVIDER, EVALUATED),
    "event_harness_override.tf.json",
)
OF_UP = "Written by `event-harness up`, deleted by `event-harness down`, or when the local AWS emulator ends"
"""A comment in the files that `up` writes beside a user's own."""


def is_of_up(file: Path) -> bool:
    """Whether there is such a file, and `up` has written it."""
    try:
        return OF_UP in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
