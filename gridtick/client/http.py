"""How the API is asked, blocking or not: one answer, page after page, or an answer as it comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar, cast

import httpx

from gridtick.client.asked import Ask, Call, Listing
from gridtick.client.exchange import Exchange
from gridtick.client.paging import Page, Pager

PAGE: Final = 1000
T = TypeVar("T")


class Api:
    """The API at an address, over an HTTP client that has the key."""

    def __init__(self, http: httpx.Client, exchange: Exchange) -> None:
        self.http = http
        self.exchange = exchange

    def call(self, call: Call[T]) -> T:
        """What is made of the object that is answered. Raises an `ApiError` for a refusal."""
        return cast("T", call.made(self.get(call.ask)))

    def get(self, ask: Ask) -> dict[str, Any]:
        """The object that is answered."""
        return self.exchange.read(self._answer(ask, stream=False).content)

    def pages(self, listing: Listing[Any]) -> Iterator[Page]:
        """Pages of a list until its end, or until its limit."""
        pager = Pager(listing, listing.most or PAGE)
        while (ask := pager.ask()) is not None:
            page = self.get(ask)
            rows, cursor = self.exchange.rows(page)
            pager.took(len(rows), cursor)
            yield Page(rows, page.get("complete"))

    def lines(self, ask: Ask) -> Iterator[dict[str, Any]]:
        """The objects of an answer of JSON lines, as they come."""
        with self.streamed(ask) as answer:
            yield from map(self.exchange.read, answer.iter_lines())

    @contextmanager
    def streamed(self, ask: Ask) -> Generator[httpx.Response]:
        """An answer whose body is read inside. Raises `Unreachable` where it breaks off."""
        answer = self._answer(ask, stream=True)
        try:
            yield answer
        except httpx.HTTPError as error:
            raise self.exchange.ended(error) from error
        finally:
            answer.close()

    def _answer(self, ask: Ask, *, stream: bool) -> httpx.Response:
        steps = self.exchange.steps(self.http, ask)
        step = next(steps)
        while True:
            outcome = self._done(step, stream=stream)
            try:
                step = steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
            except StopIteration as end:
                return end.value

    def _done(self, step: httpx.Request | float, *, stream: bool) -> httpx.Response | httpx.HTTPError | None:
        """What comes of a step; of a refusal all of it is read."""
        if not isinstance(step, httpx.Request):
            return pause(step)
        try:
            answer = self.http.send(step, stream=stream)
            if not answer.is_success:
                answer.read()
        except httpx.HTTPError as error:
            return error
        return answer


class AsyncApi:
    """The same for programs that await."""

    def __init__(self, http: httpx.AsyncClient, exchange: Exchange) -> None:
        self.http = http
        self.exchange = exchange

    async def call(self, call: Call[T]) -> T:
        """What is made of the object that is answered. Raises an `ApiError` for a refusal."""
        return cast("T", call.made(await self.get(call.ask)))

    async def get(self, ask: Ask) -> dict[str, Any]:
        """The object that is answered."""
        return self.exchange.read((await self._answer(ask, stream=False)).content)

    async def pages(self, listing: Listing[Any]) -> AsyncGenerator[Page]:
        """Pages of a list until its end, or until its limit."""
        pager = Pager(listing, listing.most or PAGE)
        while (ask := pager.ask()) is not None:
            page = await self.get(ask)
            rows, cursor = self.exchange.rows(page)
            pager.took(len(rows), cursor)
            yield Page(rows, page.get("complete"))

    async def lines(self, ask: Ask) -> AsyncIterator[dict[str, Any]]:
        """The objects of an answer of JSON lines, as they come."""
        async with self.streamed(ask) as answer:
            async for line in answer.aiter_lines():
                yield self.exchange.read(line)

    @asynccontextmanager
    async def streamed(self, ask: Ask) -> AsyncGenerator[httpx.Response]:
        """An answer whose body is read inside. Raises `Unreachable` where it breaks off."""
        answer = await self._answer(ask, stream=True)
        try:
            yield answer
        except httpx.HTTPError as error:
            raise self.exchange.ended(error) from error
        finally:
            await answer.aclose()

    async def _answer(self, ask: Ask, *, stream: bool) -> httpx.Response:
        steps = self.exchange.steps(self.http, ask)
        step = next(steps)
        while True:
            outcome = await self._done(step, stream=stream)
            try:
                step = steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
            except StopIteration as end:
                return end.value

    async def _done(self, step: httpx.Request | float, *, stream: bool) -> httpx.Response | httpx.HTTPError | None:
        """What comes of a step; of a refusal all of it is read."""
        if not isinstance(step, httpx.Request):
            return await async_pause(step)
        try:
            answer = await self.http.send(step, stream=stream)
            if not answer.is_success:
                await answer.aread()
        except httpx.HTTPError as error:
            return error
        return answer


def pause(seconds: float) -> None:
    """Waits before a request is sent again."""
    time.sleep(seconds)


async def async_pause(seconds: float) -> None:
    await asyncio.sleep(seconds)
