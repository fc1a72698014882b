"""The facts of made-up sessions: as many tests and events as a test wants, some of them hostile."""

import random

from event_harness.reporting.evidence import Evidence
from event_harness.reporting.facts import build
from event_harness.reporting.session_facts import SessionFacts, TestFacts
from event_harness.results.failure import Failure
from event_harness.tracing.invocations import Invocation
from event_harness.tracing.journal import Input, Wait
from event_harness.tracing.timeline import Arrival, Attempt, Timeline, Visit

START = 1795664357.5
HOSTILE = (
    "</script><script>document.title='owned'</script>\x1b[31mred\x1b[0m \u202egnp.exe"
    "<img src=x onerror=document.title='owned'>"
)
FRESH = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Line:
    """A line of a log, as far as a report needs it."""

    def __init__(self, at, text, *, is_error=False):
        from datetime import UTC, datetime

        self.at, self.text, self.is_error = datetime.fromtimestamp(at, UTC), text, is_error


def fresh(rng):
    return "01M8AY" + "".join(rng.choice(FRESH) for _ in range(20))


def request(rng):
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def session(tests=12, events=60, *, seed=1, hostile=False, history=0, outcome=None):
    """The facts of a session in which one test in ten fails."""
    rng = random.Random(seed)  # noqa: S311
    evidence = Evidence(
        components=[
            {"name": "orders", "type": "sqs"},
            {"name": "price_order", "type": "lambda"},
            {"name": "confirmed", "type": "s3"},
        ],
        sources=["confirmed"],
    )
    names = [f"tests/test_orders.py::test_order_{n}_is_confirmed_with_the_right_total" for n in range(tests)]
    if hostile:
        names[0] = f"tests/test_hostile.py::test_it[{HOSTILE}{'x' * 900}]"
    made = []
    for n, name in enumerate(names):
        failed = n % 10 == (0 if tests < 10 or hostile else 4)
        made.append(TestFacts(name, "failed" if failed else "passed", round(rng.uniform(0.1, 3), 3)))
        if failed:
            made[-1].error = "price_order failed after 3 attempts: ValueError: no price for 'tea'"
            if hostile:
                made[-1].error += HOSTILE
    at = START + 18.0
    for n in range(events):
        test = made[n % tests]
        at += rng.uniform(0.01, 0.2)
        _event(rng, evidence, test, at, bad=test.outcome == "failed" and n < tests, hostile=hostile)
    facts = SessionFacts(
        outcome=outcome or "failed",
        started_at=START,
        ended_at=at + 14.0,
        target="local",
        region="eu-west-1",
        deployment_id="d1m8ayykh0gxav",
        sla=5.0,
        versions={"event-harness": "0.1.0", "Python": "3.11.7", "pytest": "9.0.1", "terraform": "1.11.4"}
        | {"hashicorp/aws": "3.39.0"},
        durations={"set_up": 3.1, "apply": 13.9, "tests": at - START - 18.0, "destroy": 9.8},
    )
    past = [
        {
            "at": START - 86400 * (history - n),
            "outcome": "failed" if n % 7 == 3 else "passed",
            "target": "local",
            "tests": tests,
            "failed_tests": int(n % 7 == 3),
            "events": events,
            "arrived": events - int(n % 7 == 3),
            "missing": int(n % 7 == 3),
            "duplicates": 0,
            "p50": round(0.2 + rng.uniform(0, 0.08), 3),
            "p95": round(0.5 + n / 60 + rng.uniform(0, 0.3), 3),
            "max": 2.0,
            "durations": {"apply": round(rng.uniform(13, 16), 1)},
            "of_tests": {name: [0.2, round(0.4 + rng.uniform(0, 0.2), 3)] for name in names},
            "of_components": {"price_order": [0.1, round(0.2 + n / 100, 3)], "event_listener": [0.02, 0.05]},
        }
        for n in range(history)
    ]
    return build(facts, made, evidence, past)


def _event(rng, evidence, test, at, *, bad, hostile):
    correlation_id = f"s1m8ayz87jefz8/{fresh(rng)}"
    if hostile:
        correlation_id += f"/{HOSTILE[:60]}"
    begin, took = at + rng.uniform(0.02, 0.09), rng.lognormvariate(-2.1, 0.6)
    attempts = []
    for number in range(3 if bad else 1):
        ran = Invocation("price_order", request(rng), begin, begin + took, None, {correlation_id})
        text = f"pricing order {correlation_id}"
        ran.lines = [
            Line(begin, f"START RequestId: {ran.request_id} Version: $LATEST"),
            Line(begin + took / 2, text),
        ]
        if bad:
            ran.error = "ValueError: no price for 'tea'" + (HOSTILE if hostile else "")
            ran.lines.append(Line(begin + took, f"[ERROR] {ran.error}", is_error=True))
        report = f"REPORT RequestId: {ran.request_id} Duration: {took * 1000:.0f} ms Memory Size: 512 MB"
        ran.lines.append(Line(begin + took, report))
        evidence.invocations.append(ran)
        attempts.append(Attempt(ran.start, ran.end, ran.request_id, ran.error))
        begin += took + 1.0 + number
    arrivals, failures = (), ()
    number = len(evidence.waits)
    if bad:
        failures = (
            Failure(
                "price_order",
                "queue",
                f"m{number}",
                None,
                "RetriesExhausted",
                3,
                "ValueError",
                "no price for 'tea'",
                attempts[-1].request_id,
                None,
            ),
        )
        waited = Wait(
            test.id,
            "wait_for",
            (correlation_id,),
            at,
            begin,
            5.0,
            "InputFailedError",
            (),
            (correlation_id,),
            test.error,
            EXPLANATION + (HOSTILE if hostile else ""),
        )
    else:
        out = attempts[0].end + 0.004
        listener = Attempt(out + 0.006, out + 0.03, request(rng))
        deliveries = 2 if rng.random() < 0.02 else 1
        arrivals = (
            Arrival(
                "confirmed",
                f"confirmed:bucket/{correlation_id}/0001",
                out,
                listener,
                out + 0.02,
                out + 0.02 + (0.4 if deliveries == 2 else 0),
                deliveries,
                240,
                out + 0.05,
            ),
        )
        waited = Wait(test.id, "wait_for", (correlation_id,), at, out + 0.05, 5.0, "ok")
    evidence.waits.append(waited)
    evidence.inputs[correlation_id] = Input(correlation_id, body=HOSTILE.encode() if hostile else None)
    evidence.events.append(
        Timeline(
            correlation_id, test.id, "orders", "https://sqs/orders", 180, at, "failed" if bad else "arrived",
            (Visit("orders", "sqs", at), Visit("price_order", "lambda", None, tuple(attempts)),
             Visit("confirmed", "s3", arrivals[0].event_time if arrivals else None)),
            arrivals, failures, (number,),
        )
    )  # fmt: skip


EXPLANATION = """price_order failed after 3 attempts: ValueError: no price for 'tea'
[unknown] orders: 0 messages waiting, 0 in flight (about); it doesn't tell which have passed
[failed] price_order: after 3 attempts: ValueError: no price for 'tea'
     03:39:24.102 [ERROR] ValueError: no price for 'tea'
     03:39:26.447 [ERROR] ValueError: no price for 'tea'
[not reached] confirmed: no object of this id (looked for keys that begin with <id>)
[not reached] event_listener: not reached: price_order failed
failure queues: 1 message of this input"""


def nothing(outcome):
    """The facts of a session that did not come to its tests."""
    durations = dict.fromkeys(("set_up", "apply", "tests", "destroy"))
    return build(SessionFacts(outcome, START, START + 5, "local", durations=durations), [], Evidence())
