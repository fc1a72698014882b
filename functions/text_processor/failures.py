"""Every error that the text processor raises itself. No error contains the content of an object."""


class TextProcessorError(Exception):
    """Base of all errors of the text processor."""


class MalformedEventError(TextProcessorError):
    """The event, or one of its records, is not from S3; the message names the field."""


class SameBucketError(TextProcessorError):
    """The source is the destination bucket: each output would be another input, without end."""


class SourceDeletedError(TextProcessorError):
    """The object of the event was deleted before it was read."""


class SourceOverwrittenError(TextProcessorError):
    """The object was overwritten before it was read, and the newer event is not processed yet."""


class NotUtf8Error(TextProcessorError):
    """The object isn't UTF-8 text; `offset` is the first byte (from 0) that can't be decoded."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"not UTF-8 at byte offset {offset}: {reason}")
        self.offset = offset


class IncompleteReadError(TextProcessorError):
    """The connection ended before the whole object was read."""


class LengthChangedError(TextProcessorError):
    """The text has another length in upper case, so it can't be sent before all of it was read."""


class OutOfTimeError(TextProcessorError):
    """The function stopped its work, because too little of its time was left."""


class RecordsFailedError(TextProcessorError):
    """Some records of the event failed; raised after all others are finished, so that Lambda retries."""
