"""The main job: a text goes into the source bucket, and comes out of the destination bucket in upper case."""

import pytest

from event_harness.errors import InputFailedError, WaitTimeoutError

# On a real account S3 may notify a minute late. Lambda retries a failed event after one minute and again
# after two, and then gives up.
pytestmark = [pytest.mark.real_account, pytest.mark.sla(120)]
given_up = pytest.mark.sla(480)

SCRIPTS = "straße ŉ ﬁ ΐ ǰ ςσ ıİ | Привет, мир | Καλημέρα κόσμε | こんにちは世界 | नमस्ते | שלום | 👋🏽 e\u0301"


def test_text_comes_back_in_upper_case(producer, listener):
    sent = producer.send("Hello, world.")
    assert listener.wait_for(sent).text == "HELLO, WORLD."


def test_characters_that_become_longer_in_upper_case_come_back_whole(producer, listener):
    assert listener.wait_for(producer.send(SCRIPTS)).text == SCRIPTS.upper()


@pytest.mark.parametrize("name", ["x y.txt", "x+y.txt", "größe/naïve ☕ 100%&=?.txt", "%2B.txt"])
def test_key_with_space_plus_or_unicode_is_processed(producer, listener, name):
    sent = producer.send(f"content of {name}", name=name)
    result = listener.wait_for(sent)
    assert result.correlation_id.endswith("/" + name)
    assert result.text == f"content of {name}".upper()


def test_keys_that_differ_in_space_and_plus_are_not_confused(producer, listener):
    spaced = producer.send("spaced", name="x y.txt")
    plus = producer.send("plus", name="x+y.txt")
    assert listener.wait_for(spaced).text == "SPACED"
    assert listener.wait_for(plus).text == "PLUS"


def test_megabyte_of_text_comes_back_through_the_overflow_bucket(producer, listener):
    text = "".join(f"{n}: naïve straße\n" for n in range(60_000))
    result = listener.wait_for(producer.send(text))
    assert result.size > 1_000_000
    assert result.text == text.upper()


@pytest.mark.parametrize("end", ["", "ŉ"], ids=["as long in upper case", "longer at its end"])
def test_large_text_is_written_once(producer, listener, end):
    text = "a text of 20 MB, straße\n" * 800_000 + end
    (result,) = listener.expect_exactly(producer.send(text), 1, settle=2)
    assert result.text == text.upper()


def test_empty_file_gives_an_empty_file(producer, listener):
    assert listener.wait_for(producer.send("")).body == b""


def test_file_without_txt_is_not_processed(producer, listener):
    sent = producer.send("not for the processor", name="notes.md")
    assert listener.expect_none(sent, within=3).proof == "window"


@given_up
def test_bytes_that_are_not_utf8_reach_the_failure_queue_whole(producer, listener):
    sent = producer.send(b"good until \xff here")
    failure = listener.wait_for_failure(sent)
    bucket, key = sent.description.removeprefix("s3://").split("/", 1)
    assert failure.error_type
    for expected in (bucket, key, "offset 11"):
        assert expected in failure.error_message
    assert failure.concerns(sent.correlation_id)


def test_wait_for_a_failed_input_ends_with_the_cause_long_before_its_timeout(producer, listener, deployment):
    sent = producer.send(b"a" * 10_000_000 + b"\xfe")  # it is written while it is read
    with pytest.raises(InputFailedError, match="failed, so no") as error:
        listener.wait_for(sent, timeout=600)
    assert "offset 10000000" in str(error.value)
    (destination,) = (one.bucket for one in deployment.resources.components if one.name == "destination")
    place = {"Bucket": destination, "Prefix": sent.correlation_id}
    assert not deployment.target.client("s3").list_objects_v2(**place)["KeyCount"]


def test_good_record_is_written_once(producer, listener):
    sent = producer.send("only once")
    assert [result.text for result in listener.expect_exactly(sent, 1, settle=2)] == ["ONLY ONCE"]


def test_timeout_names_the_input_the_time_and_the_results_seen(producer, listener):
    sent = producer.send("not for the processor", name="notes.md")
    with pytest.raises(WaitTimeoutError) as error:
        listener.wait_for(sent, timeout=2)
    said = str(error.value)
    assert sent.description in said
    assert "2 s" in said
    assert "looked" in said
    assert "results in this session: 0 of this input" in said
    assert "text_processor" in said
    assert "not known" not in error.value.report.full()


def test_wrong_content_is_reported_as_wrong_content(producer, listener):
    listener.wait_for(sent := producer.send("abc"))
    with pytest.raises(WaitTimeoutError) as error:
        listener.wait_for(sent, timeout=2, until="ABD")
    assert "ABC" in str(error.value)
    assert "ABD" in str(error.value)
