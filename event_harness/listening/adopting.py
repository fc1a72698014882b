"""Adopts inputs that a test sends by itself: with its own client, a script, a browser, a person."""

from event_harness.errors import SettingError
from event_harness.listening.waiting import Waiting
from event_harness.machine.clock import timestamp
from event_harness.results.sent import Sent
from event_harness.system import correlation


class Adopting(Waiting):
    """Makes correlation ids, and a `Sent` of what carries one of them."""

    @property
    def run_id(self) -> str:
        """The same as `session_id`: the id of this test session, with which its correlation ids begin."""
        return self.session_id

    def new_id(self, own: str | None = None) -> str:
        """Make a correlation id of this test session.

        Args:
            own: Your own id, unique in the session; the session id is put before it. A fresh one by default.

        Raises:
            SettingError: `own` isn't a text with at least one character.
        """
        if own is not None and (not isinstance(own, str) or not own):
            raise SettingError(f"correlation id {own!r}: must be a text with at least one character")
        made = correlation.new_id(self.session_id, own)
        self.made.setdefault(made, timestamp())
        return made

    def sent(
        self,
        description: str,
        *,
        component: str | None = None,
        correlation_id: str | None = None,
        service_id: str | None = None,
    ) -> Sent:
        """Adopt an input that the test sends by itself. Then wait for it like for any other.

        Call it before you send, and put `correlation_id` of what it returns where the system reads the id: a
        header, a field, a key. Or make the id by `new_id`, send, and pass the id here. It takes no slot of
        the in-flight limit, which paces producers only.

        Args:
            description: What is sent and where, for messages: `the order form`. Of an object, give
                `s3://bucket/key`: then an explanation looks whether the object is there.
            component: Name of the component where the input enters the system. An explanation begins there;
                by default at the first component.
            correlation_id: An id that `new_id` has made, or your own; a fresh one by default.
            service_id: The id that the service has given it, if you know it: of the message or the request,
                or the ARN of the execution.

        Raises:
            SettingError: The description or the id is no text, or has no character.
            ResourceMapError: There is no such component.
        """
        if not isinstance(description, str) or not description.strip():
            raise SettingError(f"description {description!r}: must be a text that says what is sent")
        if component is not None:
            self.resources.component(component)
        made = self.new_id(correlation_id)
        self.inflight.note(made, service_id)
        entry = component or next((item.name for item in self.resources.components), "")
        return Sent(made, entry, self.made[made], description, None, service_id=service_id)
