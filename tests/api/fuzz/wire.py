"""Requests as bytes over connections that stay open: what no client library would send is sent too."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from httptools import HttpResponseParser

_WITHIN_S: Final = 60


@dataclass(slots=True)
class Answer:
    """What came back. `headers` are the lines as they were read; `seconds` from first byte sent to last read."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""
    seconds: float = 0.0
    ended: bool = False
    goes_on: bool = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended = True


@dataclass(slots=True)
class _Link:
    host: str
    port: int
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> Answer:
        reader, writer = self.streams or await asyncio.open_connection(self.host, self.port)
        self.streams, began = (reader, writer), time.perf_counter()
        answer = Answer()
        parser = HttpResponseParser(answer)
        writer.write(request)
        while not answer.ended:
            read = await asyncio.wait_for(reader.read(1 << 16), _WITHIN_S)
            assert read, f"closed without an answer: {request[:300]!r}"
            parser.feed_data(read)
        answer.status, answer.seconds = parser.get_status_code(), time.perf_counter() - began
        if not parser.should_keep_alive():
            self.close()
        return answer

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
        self.streams = None


async def ask(url: str, requests: Sequence[bytes], heard: Callable[[int, Answer], None], links: int = 8) -> None:
    """Sends all, over some connections side by side; `heard` is called with the number and the answer of each."""
    address, waiting = urlsplit(url), iter(enumerate(requests))
    every = [_Link(address.hostname or "", address.port or 80) for _ in range(links)]
    await asyncio.gather(*(_all(link, waiting, heard) for link in every))


async def _all(link: _Link, waiting: Iterator[tuple[int, bytes]], heard: Callable[[int, Answer], Any]) -> None:
    for number, request in waiting:
        heard(number, await link.ask(request))
    link.close()
