"""Any text through the whole chain is that text in upper case, whatever its key."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# All that UTF-8 can say; half of a surrogate pair is no text.
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=2000)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60).map(
    lambda name: f"{name}.txt"
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, name=NAMES)
def test_any_text_under_any_key_comes_back_as_its_upper_case(producer, harness_listener, text, name):
    assert harness_listener.wait_for(producer.send(text, name=name)).text == text.upper()
