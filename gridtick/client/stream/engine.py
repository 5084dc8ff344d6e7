"""The stream for programs that await: connections one after another, that show as one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, Self, cast

from websockets.asyncio.client import ClientConnection

from gridtick.client.errors import ApiError, Unreachable
from gridtick.client.exchange import Exchange
from gridtick.client.stream.asked import Options, Subscription
from gridtick.client.stream.backoff import Backoff
from gridtick.client.stream.buffer import Buffer
from gridtick.client.stream.chain import Chain
from gridtick.client.stream.errors import Lost, StreamError, StreamRefused
from gridtick.client.stream.filling import Fetch, later, rows_of_gap
from gridtick.client.stream.frames import ID, message_of
from gridtick.client.stream.interruptions import Interruptions
from gridtick.client.stream.messages import (
    Complaint,
    Filled,
    Gap,
    Message,
    RowT,
    StreamSnapshot,
    Update,
    Welcome,
)
from gridtick.client.stream.seen import Seen
from gridtick.client.stream.wire import connected, hear, pump, say

# Codes of what another try may get: a store was away, or others are told history.
_LATER: Final = frozenset({"store-away", "too-many-replays"})
_FIRST_S: Final = 5.0  # the heartbeat, until the server has told it
# Where a row is a publication, one that came out of a gap does not come again. In the others it is how things are now.
_PUBLICATIONS: Final = frozenset({"bars", "ticks"})


class Source(NamedTuple):
    """Where a stream comes from, and what fetches the pages of its gaps."""

    exchange: Exchange
    fetch: Fetch
    has_proxy: bool


class AsyncStream(AsyncIterator[Message[RowT]], Generic[RowT]):
    """Messages as they come, over interruptions, without holes and without repeats.

    Iterate it with `async for`, and end it with `aclose()` or `async with`. Raises `StreamStalled`, `SequenceBroken`,
    `StreamRefused`, an `ApiError` where the server does not let it in, and `Unreachable` where the patience is over.
    """

    def __init__(self, source: Source, wanted: Subscription, options: Options, backoff: Backoff | None = None) -> None:
        self._source = source
        self._wanted = wanted
        self._options = options
        self._interruptions = Interruptions(options, backoff, is_past=wanted.from_ is not None)
        self._chain = Chain(wanted.resume)
        self._seen = Seen()
        self._heartbeat_s = _FIRST_S
        self._each = self._messages()

    @property
    def resume(self) -> str | None:
        """The token behind the last message that was given: another stream can go on there."""
        return self._chain.resume

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message[RowT]:
        return cast("Message[RowT]", await anext(self._each))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._each.aclose()

    async def _messages(self) -> AsyncGenerator[Message[Any]]:
        while True:
            try:
                async with aclosing(self._connection()) as each:
                    async for message in each:
                        yield message
            except (Lost, StreamError) as error:
                again = self._interruptions.after(error, self.resume)
                yield again
                await pause(again.wait_seconds)

    async def _connection(self) -> AsyncGenerator[Message[Any]]:
        """The messages of one connection."""
        self._chain.begin()
        async with connected(self._source.exchange, has_proxy=self._source.has_proxy) as wire:
            yield await self._welcomed(wire)
            buffer = Buffer()
            pumping = asyncio.create_task(pump(wire, buffer, lambda: self._heartbeat_s))
            try:
                async with aclosing(self._taken(buffer)) as each:
                    async for message in each:
                        yield message
            finally:
                pumping.cancel()
                await asyncio.wait([pumping])

    async def _welcomed(self, wire: ClientConnection) -> Message[Any]:
        first = message_of(await hear(wire, self._heartbeat_s))
        if isinstance(first, Welcome):
            self._heartbeat_s = first.heartbeat_seconds
        await say(wire, self._wanted.message(self.resume))
        return first

    async def _taken(self, buffer: Buffer) -> AsyncGenerator[Message[Any]]:
        while True:
            message = message_of(await buffer.take())
            self._refuse(message)
            yield self._followed(message)
            if gaps := self._chain.due():
                for gap in gaps if self._options.fill else ():
                    async with aclosing(self._filled(gap)) as each:
                        async for filled in each:
                            yield filled
                self._chain.filled()

    def _followed(self, message: Message[Any]) -> Message[Any]:
        """The message, which follows the one before it, without what came out of a gap."""
        self._chain.take(message)
        self._interruptions.hear(message)
        if isinstance(message, Update) and self._wanted.channel in _PUBLICATIONS:
            message = replace(message, data=self._seen.not_filled(message.data))
        if self._options.fill:
            self._remember(message)
        return message

    def _remember(self, message: Message[Any]) -> None:
        match message:
            case Update():
                self._seen.sent(message.data)
            case StreamSnapshot(part=part, parts=parts):
                self._seen.snapshot(message.data, is_first=part == 1, is_last=part >= parts)
            case _:
                pass

    def _refuse(self, message: Message[Any]) -> None:
        """Ends a stream that the server will not follow."""
        if isinstance(message, Complaint) and message.code in _LATER:
            raise Lost(f"the server cannot follow what is asked for now: {message.detail} ({message.code})")
        if isinstance(message, Complaint) and message.id == ID and not message.fatal:
            said = f"The server does not follow what is asked: {message.detail} ({message.code})."
            raise StreamRefused(said, code=message.code)

    async def _filled(self, gap: Gap[Any]) -> AsyncGenerator[Message[Any]]:
        """The rows that a gap left out. `Lost` where they cannot be had now: the next connection tells it again."""
        try:
            async with aclosing(rows_of_gap(self._source.exchange, self._source.fetch, gap.fill)) as pages:
                async for rows in pages:
                    if lacking := self._seen.lacking(rows):
                        yield Filled(data=lacking, gap=gap, is_last=False)
        except (Unreachable, ApiError) as error:
            if (lost := later(error)) is None:
                raise
            raise lost from error
        yield Filled(gap=gap, is_last=True)


async def pause(seconds: float) -> None:
    """Waits before the next connection."""
    await asyncio.sleep(seconds)
