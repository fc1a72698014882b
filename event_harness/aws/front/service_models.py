"""Tells MiniStack the protocol of a service without botocore's model of it.

MiniStack corrects the `Content-Type` of what it answers, and needs the protocol for that. So its first answer
imported botocore, which takes 60 ms, and the first answer of each service read its whole model, which takes
10 to 60 ms. No other request is answered meanwhile. The protocol is in the first lines of the model's file.
"""

import functools
import gzip
import importlib.util
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack.core import responses

Models = Callable[[str], Any]
_BEGINNING = 16 * 1024  # characters of a file that hold its metadata
_METADATA = re.compile(r'"metadata"\s*:\s*')


def install() -> None:
    """Let MiniStack read as much of a model as it needs."""
    responses._service_model = quick(responses._service_model)


def quick(whole: Models) -> Models:
    """A function that returns the model of a service, and reads only its metadata at first.

    Args:
        whole: returns botocore's model of a service, or None if there is none.
    """

    @functools.cache
    def model_of(service: str) -> Any:
        """The model of a service by MiniStack's name."""
        metadata = metadata_of(responses._BOTOCORE_NAME.get(service, service))
        return whole(service) if metadata is None else _Model(metadata, lambda: whole(service))

    return model_of


class _Model:
    """A model whose metadata is known; anything else makes botocore read all of it."""

    def __init__(self, metadata: Mapping[str, Any], whole: Callable[[], Any]) -> None:
        self.metadata, self._whole = metadata, whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole(), name)


def metadata_of(service: str) -> Mapping[str, Any] | None:
    """The metadata of a service by botocore's name; None if they can't be read."""
    try:
        spec = importlib.util.find_spec("botocore")
        places = spec.submodule_search_locations if spec else None
        versions = (Path(next(iter(places or ()))) / "data" / service).glob("*/service-2.json.gz")
        with gzip.open(max(versions), "rt", encoding="utf-8") as file:
            text = file.read(_BEGINNING)
        begins = _METADATA.search(text)
        found, _ = json.JSONDecoder().raw_decode(text, begins.end()) if begins else (None, 0)
    except (OSError, ValueError, StopIteration):
        return None
    return found if isinstance(found, dict) else None
