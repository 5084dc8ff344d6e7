"""What can go wrong with a stream, as types; and what only interrupts it."""

from typing import Final

from gridtick.client.errors import GridtickError


class StreamError(GridtickError):
    """A stream ended. With `resume`, where there is one, another stream goes on behind the last message that came."""

    def __init__(self, message: str, *, resume: str | None = None) -> None:
        super().__init__(message)
        self.resume = resume


class StreamStalled(StreamError):
    """Nothing came for two heartbeats: what is shown may be old."""

    @property
    def reason(self) -> str:
        """The same within a sentence."""
        return f"n{str(self)[1:-1]}"


class SequenceBroken(StreamError):
    """A message does not follow the one before it, after resuming too."""


class StreamRefused(StreamError):
    """The server will not go on with it, and says not to try again. `code`: of the closing, or of the error."""

    def __init__(self, message: str, *, code: int | str | None = None, resume: str | None = None) -> None:
        super().__init__(message, resume=resume)
        self.code = code


class KeyRefused(StreamRefused):
    """4401, 4408: the key is unknown, expired or revoked, or lacks the scope."""


class TooManyConnections(StreamRefused):
    """4409: this key has as many connections as it may have."""


OF_CODE: Final = {4401: KeyRefused, 4408: KeyRefused, 4409: TooManyConnections}


class Lost(Exception):
    """The connection is gone, and another one goes on where it was. Never leaves the client.

    `least`: seconds that the server wants to be left alone. `shown`: the error where that is not wanted.
    """

    def __init__(self, reason: str, *, least: float = 0.0, shown: StreamError | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.least = least
        self.shown = shown


def refused(code: int, reason: str) -> StreamRefused:
    """Why a connection was closed for good."""
    kind = OF_CODE.get(code, StreamRefused)
    return kind(f"The stream was closed for good: {reason or 'no reason was given'} (code {code}).", code=code)
