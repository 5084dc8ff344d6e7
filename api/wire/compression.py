"""Text answers compressed as they are sent, by `Accept-Encoding`: zstd or gzip, whichever is liked better, else zstd.

An entity tag tells one sequence of bytes: of a compressed answer it ends in `-zstd` or `-gzip`, and whoever sends
either form back is told 304 where the text is the same. Parquet and Arrow are compressed in themselves, and a
live stream may not wait for its block to fill.
"""

import asyncio
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import zstd

Coding = Literal["zstd", "gzip"]

LEAST: Final = 1024  # bytes of a whole answer: what is smaller fits a packet anyway
_ASIDE: Final = 64 * 1024  # bytes that are compressed in a thread
_LEVEL: Final = 1  # the cheapest of both: numbers shrink about as far as with higher ones
_TEXTS: Final = (
    "application/json", "application/problem+json", "application/x-ndjson", "text/csv", "text/html",
)  # fmt: skip
_CODINGS: Final[tuple[Coding, ...]] = ("zstd", "gzip")


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Compression:
    """The ASGI middleware. It costs an answer that stays as it is nothing but a look at its length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = _wanted(scope) if scope["type"] == "http" else None
        if coding is None:
            await self._app(scope, receive, send)
        else:
            await self._app(_with_plain_tags(scope), receive, _Packed(send, coding, scope).send)


class _Packed:
    """One answer on its way out."""

    def __init__(self, send: Send, coding: Coding, scope: Scope) -> None:
        self._send = send
        self._coding: Coding = coding
        self._tagged = f"-{coding}" in (Headers(scope=scope).get("if-none-match") or "")
        self._start: Message | None = None
        self._packer: _Packer | None = None

    async def send(self, message: Message) -> None:
        """The head waits for the first part of the body, which tells whether it is worth it."""
        if message["type"] == "http.response.start":
            self._start = message
        elif self._start is not None:
            start, self._start = self._start, None
            await self._begin(start, message)
        else:
            await self._go_on(message)

    async def _begin(self, start: Message, first: Message) -> None:
        headers = MutableHeaders(scope=start)
        if start["status"] == 304 and self._tagged:
            _retag(headers, self._coding)
        if not _pays(start["status"], headers, first):
            await self._send(start)
            await self._send(first)
            return
        self._packer = _packer(self._coding)
        body = await self._packed(first)
        _describe(headers, self._coding, None if first.get("more_body") else len(body))
        await self._send(start)
        await self._send({**first, "body": body})

    async def _go_on(self, message: Message) -> None:
        await self._send(message if self._packer is None else {**message, "body": await self._packed(message)})

    async def _packed(self, message: Message) -> bytes:
        assert self._packer is not None
        body, last = message.get("body", b""), not message.get("more_body")
        if len(body) < _ASIDE:
            return _pack(self._packer, body, last=last)
        return await asyncio.to_thread(_pack, self._packer, body, last=last)


def _pack(packer: _Packer, body: bytes, *, last: bool) -> bytes:
    packed = packer.compress(body)
    return packed + packer.flush() if last else packed


def _packer(coding: Coding) -> _Packer:
    return zstd.ZstdCompressor(_LEVEL) if coding == "zstd" else zlib.compressobj(_LEVEL, wbits=16 + zlib.MAX_WBITS)


def _pays(status: int, headers: Headers, first: Message) -> bool:
    """Whether an answer is a text of some length that nobody has compressed yet."""
    long = bool(first.get("more_body")) or len(first.get("body", b"")) >= LEAST
    if not long or status in {204, 206, 304} or "content-encoding" in headers:
        return False
    return headers.get("content-type", "").partition(";")[0] in _TEXTS


def _describe(headers: MutableHeaders, coding: Coding, length: int | None) -> None:
    headers["Content-Encoding"] = coding
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
    _retag(headers, coding)
    if length is None:
        del headers["Content-Length"]
    else:
        headers["Content-Length"] = str(length)


def _retag(headers: MutableHeaders, coding: Coding) -> None:
    tag = headers.get("etag", "")
    if tag.endswith('"') and not tag.startswith("W/"):
        headers["ETag"] = f'{tag[:-1]}-{coding}"'


def _with_plain_tags(scope: Scope) -> Scope:
    """The request with the entity tags that the routes know."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    if (tags := headers.get("if-none-match")) is None:
        return scope
    headers["If-None-Match"] = plain_tag(tags)
    return {**scope, "headers": headers.raw}


def plain_tag(tags: str) -> str:
    """The tags of the same texts as they are without compression."""
    for coding in _CODINGS:
        tags = tags.replace(f'-{coding}"', '"')
    return tags


def _wanted(scope: Scope) -> Coding | None:
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            return _liked(value)
    return None


@lru_cache(maxsize=256)
def _liked(header: bytes) -> Coding | None:
    """The coding that is liked best (RFC 9110, 12.5.3); none where the text as it is is liked better."""
    given = dict(_item(each) for each in header.decode("latin-1").lower().split(",") if each.strip())
    best = max(_CODINGS, key=lambda coding: _liking(given, coding))
    liking = _liking(given, best)
    return best if liking and liking >= given.get("identity", 0.0) else None


def _liking(given: Mapping[str, float], coding: Coding) -> float:
    return given.get(coding, given.get("*", 0.0))


def _item(text: str) -> tuple[str, float]:
    name, _, parameter = text.partition(";")
    key, _, value = parameter.partition("=")
    try:
        return name.strip(), float(value) if key.strip() == "q" else 1.0
    except ValueError:
        return name.strip(), 0.0
