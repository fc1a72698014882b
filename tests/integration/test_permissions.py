"""A system that lacks a permission fails here as it would on AWS, and the message names what it lacks."""

from pathlib import Path

import pytest
from reports_of_waits import report_of

from event_harness.deployments.session import Session
from event_harness.errors import MissingPermissionError
from event_harness.listening.listener import Listener
from event_harness.producers import producers_for
from event_harness.settings import Settings
from event_harness.system.correlation import new_session_id

LACKING = Path(__file__).parent / "systems" / "lacking"


@pytest.fixture
def session_of(tmp_path, request):
    """Return a function that begins a session with the system, which lacks some permissions."""

    def begin(lacking, **options):
        ini = {
            "root": str(LACKING),
            "state_dir": str(tmp_path / "state"),
            "providers": request.config.getini("harness_providers"),
            "destroy": "emulator",  # cheaper than terraform
        }
        variables = [f"lacking={lacking}"] if lacking else []
        session = Session(Settings({"var": variables, **options}, {}, ini), LACKING)
        request.addfinalizer(session.close)
        return session

    return begin


def test_each_lack_of_a_connection_is_named_after_the_apply(session_of):
    """None of them is one that the emulator itself would notice."""
    with pytest.raises(MissingPermissionError) as error:
        session_of('["wiring"]').system()
    first, *lines, last = str(error.value).splitlines()
    assert first == "the system lacks 6 permissions, so it would fail on AWS:"
    assert "--harness-iam=off" in last
    told = {line.strip().partition(" on arn")[0] for line in lines}
    (name,) = {line.partition("lacking-")[2].partition("-confirm")[0] for line in lines if "the role" in line}
    role = f"the role lacking-{name}-confirm"
    assert told == {
        "aws_sns_topic_subscription.inbox: sns.amazonaws.com may not sqs:SendMessage",
        f"aws_lambda_event_source_mapping.inbox: {role} may not sqs:DeleteMessage",
        f"aws_lambda_function_event_invoke_config.confirm: {role} may not sqs:SendMessage",
        "aws_cloudwatch_event_target.nightly: events.amazonaws.com may not lambda:InvokeFunction",
        f"aws_sfn_state_machine.checkout: {role} may not lambda:InvokeFunction",
        f"aws_sfn_state_machine.checkout: states.amazonaws.com may not assume {role}"
        ": name states.amazonaws.com as a principal in its assume_role_policy",
    }


def test_a_denied_call_of_a_function_is_explained_with_action_resource_and_role(session_of):
    system = session_of('["sending"]').system()
    listener = Listener(system.resources, system.target, new_session_id(), sla=60)
    sent = next(iter(producers_for(listener, {}).values())).send("an order")
    name = "lacking-default"  # terraform.workspace on an emulator of the deployment's own
    resource = f"arn:aws:sqs:{system.target.region}:000000000000:{name}-confirmed"
    told = f"confirm failed: the role {name}-confirm may not sqs:SendMessage on {resource} (access denied)"
    assert report_of(listener, sent, told).cause == told
