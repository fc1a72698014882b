"""Which frames of a traceback are left, and what of its cause."""

import traceback

from listener_fakes import World

from event_harness.aws.targets import Target
from event_harness.errors import ResourceMapError
from event_harness.explaining.tracebacks import PACKAGE, shorten
from event_harness.listening.matching import Matcher
from event_harness.system.resources import ResourceMap


def shortened(call):
    """The error that a call raises, once it is shortened, and the harness's files in its traceback."""
    try:
        call()
    except BaseException as error:
        shorten(error)
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        return error, [file for file in files if file.startswith(f"{PACKAGE}/")]
    raise AssertionError("nothing was raised")


def accepted(predicate):
    """Lets a matcher judge a result by the predicate."""
    world = World()
    world.table.record(world.send().correlation_id)
    (result,) = world.listener.results()
    return Matcher(predicate).accepts(result)


def test_error_of_the_harness_is_left_without_its_frames_and_cause(tmp_path):
    error, ours = shortened(lambda: ResourceMap.from_file(tmp_path / "map.json"))
    assert isinstance(error, ResourceMapError)
    assert ours == []
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_what_a_predicate_raises_is_left_without_the_harness_and_with_its_cause():
    def predicate(_result):
        raise ImportError("no module") from OSError("no file")

    error, ours = shortened(lambda: accepted(predicate))
    assert ours == []
    assert isinstance(error.__cause__, OSError)
    assert error.__traceback__.tb_next.tb_next.tb_next.tb_frame.f_code.co_name == "predicate"


def test_what_a_library_raises_on_the_harnesses_account_is_shown_whole():
    _, ours = shortened(lambda: Target.local("http://127.0.0.1:9").client("no such service"))
    assert ours


def test_what_the_harness_itself_should_not_have_raised_is_shown_whole():
    _, ours = shortened(lambda: Matcher(None).misses(None))
    assert ours


def test_what_has_nothing_to_do_with_the_harness_is_left_as_it_is():
    error, _ = shortened(lambda: [][0])
    assert len(traceback.extract_tb(error.__traceback__)) == 2
