"""Every error that the text processor raises itself. None of them holds the content of an object."""


class TextProcessorError(Exception):
    """Base of all errors of the text processor."""


class MalformedEventError(TextProcessorError):
    """The event, or a record of it, isn't what S3 sends; the message names the field."""


class SameBucketError(TextProcessorError):
    """The source is the destination: each output would be the next input, without an end."""


class SourceDeletedError(TextProcessorError):
    """The object of the event was deleted before it was read."""


class SourceOverwrittenError(TextProcessorError):
    """The object of the event was overwritten before it was read, and the newer event isn't done yet."""


class NotUtf8Error(TextProcessorError):
    """The object isn't UTF-8 text; `offset` is the first byte (from 0) that can't be decoded."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"not UTF-8 at byte offset {offset}: {reason}")
        self.offset = offset


class IncompleteReadError(TextProcessorError):
    """The connection ended before the whole object was read."""


class OutOfTimeError(TextProcessorError):
    """So little of the function's time is left that the work was given up in good order."""


class RecordsFailedError(TextProcessorError):
    """Some records of the event failed; raised after the others are done, so that the event comes again."""
