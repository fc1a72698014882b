"""Sends objects to a bucket."""

from collections.abc import Callable

from event_harness.aws.targets import Target
from event_harness.errors import ProducerError
from event_harness.producers.base import NOW, Producer
from event_harness.producers.bodies import Body, encoded
from event_harness.producers.inflight import InFlight
from event_harness.results.sent import Sent
from event_harness.system.correlation import session_id_of
from event_harness.system.resources import Component

_KEY_LIMIT = 1024  # bytes of UTF-8


class S3Producer(Producer):
    """Puts objects whose key is, or contains, the correlation id. IAM: s3:PutObject.

    Args:
        component: The bucket.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        key: The form of the keys. The asterisk stands for the correlation id: `incoming/*.csv`.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    type = "s3"
    service = "s3"
    limit = 5 * 1024**3
    remedy = "a larger object needs a multipart upload: upload it yourself under producer.new_key()"

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        key: str = "*",
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        if key.count("*") != 1:
            raise ProducerError(f"key {key!r}: must have one asterisk, where the correlation id goes")
        self.key = key
        if inflight:
            inflight.ids.learn(key)

    def send(
        self,
        body: Body,
        *,
        correlation_id: str | None = None,
        name: str | None = None,
        content_type: str | None = None,
    ) -> Sent:
        """Put one object. Its key is `<session_id>/<fresh id>/<name>`, or has the form that `key` gives.

        Args:
            body: The content. Text is sent as UTF-8.
            correlation_id: Your own id. The session id is put before it unless it is there already. A
                notification may accept only keys with a certain suffix.
            name: The last part of the id; it may contain any characters. The default is `input.txt`, or no
                name if the producer's `key` says how keys end.
            content_type: The object's Content-Type.

        Raises:
            ProducerError: The key is over 1,024 bytes, the bucket is missing, access is denied…
        """
        if correlation_id is not None and name is not None:
            raise ProducerError("give either a name or a correlation id: the name is the end of a fresh one")
        content = encoded(body)
        own = self.new_key(name) if correlation_id is None else self._checked(self._new_id(correlation_id))
        bucket, key = self.component.identifier, self.key.replace("*", own)
        extra = {"ContentType": content_type} if content_type else {}
        return self._deliver(
            own,
            content,
            f"s3://{bucket}/{key}",
            lambda: self._client.put_object(Bucket=bucket, Key=key, Body=content, **extra),
        )

    def new_key(self, name: str | None = None) -> str:
        """Make a fresh correlation id for an object that you put yourself. With `key` `*` it is the key.

        Raises:
            ProducerError: The name is empty, or makes the key longer than S3 takes.
        """
        if name is None and self.key != "*":
            return self._checked(self._new_id(None))
        name = "input.txt" if name is None else name
        if not isinstance(name, str) or not name:
            raise ProducerError(f"name {name!r}: must be a text with at least one character")
        return self._checked(f"{self._new_id(None)}/{name}")

    def _checked(self, correlation_id: str) -> str:
        key = self.key.replace("*", correlation_id)
        try:
            size = len(key.encode())
        except UnicodeEncodeError as error:
            raise ProducerError(
                f"key {key!r}: contains half a surrogate pair, which UTF-8 can't encode"
            ) from error
        if size > _KEY_LIMIT:
            raise ProducerError(
                f"key {key[:60]!r}… has {size:,} bytes, S3 takes {_KEY_LIMIT:,} at most; take a shorter name"
            )
        assert session_id_of(correlation_id) == self.session_id  # noqa: S101 (the listener files results under this id)
        return correlation_id
