"""A test that fails, for the picture of a failure: `make recording`."""

from typing import Any


def test_text_comes_back_in_upper_case(producer: Any, listener: Any) -> None:
    """The text is in Latin-1; the system accepts UTF-8 only."""
    sent = producer.send("straße".encode("latin-1"))
    assert listener.wait_for(sent).text == "STRASSE"
