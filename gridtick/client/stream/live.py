"""`stream` of both clients."""

import asyncio
from typing import Any, Literal, Unpack, overload
from weakref import WeakSet

from gridtick.client.asked import Ask
from gridtick.client.curves import Snapshot
from gridtick.client.http import Api, AsyncApi
from gridtick.client.rows import Bar, Tick
from gridtick.client.stream.asked import Channel, Options, Subscription, Wanted
from gridtick.client.stream.engine import AsyncStream, Source
from gridtick.client.stream.messages import LivePrice
from gridtick.client.stream.threaded import Stream


class Live:
    """The live part of the blocking client."""

    def __init__(self, api: Api, *, has_proxy: bool) -> None:
        self._source = Source(api.exchange, _Threads(api).get, has_proxy)
        self._streams = WeakSet[Stream[Any]]()

    @overload
    def stream(self, channel: Literal["prices", "demo"], **wanted: Unpack[Wanted]) -> Stream[LivePrice]: ...
    @overload
    def stream(self, channel: Literal["bars"], **wanted: Unpack[Wanted]) -> Stream[Bar]: ...
    @overload
    def stream(self, channel: Literal["ticks"], **wanted: Unpack[Wanted]) -> Stream[Tick]: ...
    @overload
    def stream(self, channel: Literal["curves"], **wanted: Unpack[Wanted]) -> Stream[Snapshot]: ...
    def stream(self, channel: Channel, **wanted: Unpack[Wanted]) -> Stream[Any]:
        """The messages of a channel, as they come; `gridtick.client.stream.asked.Wanted` says what can be asked for."""
        found = Stream(_made(self._source, channel, wanted))
        self._streams.add(found)
        return found

    def end_streams(self) -> None:
        for each in list(self._streams):
            each.close()


class AsyncLive:
    """The live part of the async client."""

    def __init__(self, api: AsyncApi, *, has_proxy: bool) -> None:
        self._source = Source(api.exchange, api.get, has_proxy)
        self._streams = WeakSet[AsyncStream[Any]]()

    @overload
    def stream(self, channel: Literal["prices", "demo"], **wanted: Unpack[Wanted]) -> AsyncStream[LivePrice]: ...
    @overload
    def stream(self, channel: Literal["bars"], **wanted: Unpack[Wanted]) -> AsyncStream[Bar]: ...
    @overload
    def stream(self, channel: Literal["ticks"], **wanted: Unpack[Wanted]) -> AsyncStream[Tick]: ...
    @overload
    def stream(self, channel: Literal["curves"], **wanted: Unpack[Wanted]) -> AsyncStream[Snapshot]: ...
    def stream(self, channel: Channel, **wanted: Unpack[Wanted]) -> AsyncStream[Any]:
        """The messages of a channel, as they come; `gridtick.client.stream.asked.Wanted` says what can be asked for."""
        found = _made(self._source, channel, wanted)
        self._streams.add(found)
        return found

    async def end_streams(self) -> None:
        for each in list(self._streams):
            await each.aclose()


class _Threads:
    """Fetches on other threads, for an event loop that must not wait."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(self, ask: Ask) -> dict[str, Any]:
        return await asyncio.to_thread(self._api.get, ask)


def _made(source: Source, channel: Channel, wanted: Wanted) -> AsyncStream[Any]:
    asked: dict[str, Any] = dict(wanted)
    options = {name: asked.pop(name) for name in ("fill", "on_stall", "patience") if name in asked}
    return AsyncStream(source, Subscription(channel=channel, **asked), Options(**options))
