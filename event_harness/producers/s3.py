"""Sends objects to a bucket."""

from event_harness.correlation import run_id_of
from event_harness.errors import ProducerError
from event_harness.producers.base import Producer, Sent
from event_harness.producers.bodies import Body, encoded

_KEY_LIMIT = 1024  # bytes of UTF-8


class S3Producer(Producer):
    """Puts objects whose key is the correlation id. IAM: s3:PutObject."""

    type = "s3"
    service = "s3"
    limit = 5 * 1024**3
    remedy = "a larger object needs a multipart upload: put it yourself under producer.new_key()"

    def send(
        self,
        body: Body,
        *,
        correlation_id: str | None = None,
        name: str | None = None,
        content_type: str | None = None,
    ) -> Sent:
        """Put one object under `<run_id>/<fresh id>/<name>`, exactly that key.

        Args:
            body: Its content; text is sent as UTF-8.
            correlation_id: An id of your own instead, which is the whole key; the run id is put before it if
                it isn't there. Mind that a notification may want a suffix.
            name: Last part of the key, `input.txt` by default; any characters, slashes too.
            content_type: The object's Content-Type.

        Raises:
            ProducerError: The key is over 1,024 bytes, the bucket is missing, access is denied…
        """
        if correlation_id is not None and name is not None:
            raise ProducerError("give either a name or a correlation id: the correlation id is the whole key")
        content = encoded(body)
        key = self.new_key(name) if correlation_id is None else self._key(self._new_id(correlation_id))
        bucket = self.station.resource
        extra = {"ContentType": content_type} if content_type else {}
        return self._deliver(
            key,
            content,
            f"s3://{bucket}/{key}",
            lambda: self._client.put_object(Bucket=bucket, Key=key, Body=content, **extra),
        )

    def new_key(self, name: str | None = None) -> str:
        """A fresh key, which is also a correlation id; for those who put the object themselves.

        Raises:
            ProducerError: The name is empty, or makes the key longer than S3 takes.
        """
        name = "input.txt" if name is None else name
        if not isinstance(name, str) or not name:
            raise ProducerError(f"name {name!r}: must be a text that isn't empty")
        return self._key(f"{self._new_id(None)}/{name}")

    def _key(self, key: str) -> str:
        try:
            size = len(key.encode())
        except UnicodeEncodeError as error:
            raise ProducerError(f"key {key!r}: holds half a surrogate pair, which UTF-8 can't say") from error
        if size > _KEY_LIMIT:
            raise ProducerError(
                f"key {key[:60]!r}… has {size:,} bytes, S3 takes {_KEY_LIMIT:,} at most; take a shorter name"
            )
        assert run_id_of(key) == self.run_id  # noqa: S101 (what makes results findable)
        return key
