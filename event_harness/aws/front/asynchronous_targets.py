"""Lets MiniStack's rules and topics invoke functions as AWS does: asynchronously, with retries.

MiniStack 1.5.33 invokes such a function once. What fails comes to no failure destination, and is lost. It
does better for S3. `tests/integration/test_emulated_deliveries.py` fails as soon as it does so for rules and
topics: delete this module then.
"""

import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge, lambda_svc, sns

Deliver = Callable[..., None]


def install() -> None:
    """Change the deliveries of MiniStack's rules and topics to functions."""
    eventbridge._dispatch_to_lambda = by_rule(eventbridge._dispatch_to_lambda)
    sns._deliver_to_lambda = by_topic(sns._deliver_to_lambda)


def by_rule(deliver: Deliver) -> Deliver:
    """What delivers an event of a rule to a function."""

    @functools.wraps(deliver)
    def delivered(arn: str, payload: Any) -> None:
        """Invoke the function; one that isn't there is MiniStack's to tell."""
        func, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if not func or not config:
            deliver(arn, payload)
            return
        try:
            event = json.loads(payload)
        except (ValueError, TypeError):
            event = {"body": payload}
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(func, config), event)

    return delivered


def by_topic(deliver: Deliver) -> Deliver:
    """What delivers a message of a topic to a function."""

    @functools.wraps(deliver)
    def delivered(endpoint: str, envelope: str, topic_arn: str, sub_arn: str, *more: Any) -> None:
        """Invoke the function; one that isn't there is MiniStack's to tell."""
        func, config, _ = lambda_svc._get_func_record_for_ref(endpoint)
        if not func or not config:
            deliver(endpoint, envelope, topic_arn, sub_arn, *more)
            return
        record = {
            "EventVersion": "1.0",
            "EventSubscriptionArn": sub_arn,
            "EventSource": "aws:sns",
            "Sns": json.loads(envelope),
        }
        func = lambda_svc._execution_record_for_config(func, config)
        lambda_svc.invoke_async_with_retry(func, {"Records": [record]})

    return delivered
