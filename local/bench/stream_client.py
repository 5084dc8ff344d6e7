"""`python -m local.bench.stream_client`: many clients of a stream in one process, which count frames and parse nothing.

Arguments: port, clients, frames that each is to get, how such a frame begins, the message that each sends (may be
empty), and a key (may be empty). It writes a line once all are there, and a line of JSON once all have all.
"""

import asyncio
import json
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final, cast

import uvloop

_HANDSHAKE: Final = (
    "GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{key}\r\n"
)
_CAUGHT_UP: Final = b'{"type":"caught_up"'
_AT_ONCE: Final = 50  # connections that are opened side by side


@dataclass
class Crowd:
    """What all of them have got. `begun` grows with each that is ready."""

    clients: int
    frames: int
    prefix: bytes
    message: bytes
    key: str
    begun: int = 0
    got: int = 0
    size: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    whole: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, size: int) -> None:
        self.got += 1
        self.size += size
        if self.got == self.clients * self.frames:
            self.whole.set()

    def begin(self) -> None:
        self.begun += 1
        if self.begun == self.clients:
            self.ready.set()


class Listener(asyncio.Protocol):
    """One client."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._held = b""
        self._open = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = f"X-API-Key: {self._crowd.key}\r\n" if self._crowd.key else ""
        self._transport.write(_HANDSHAKE.format(key=key).encode())

    def data_received(self, data: bytes) -> None:
        held = self._held + data if self._held else data
        if not self._open:
            head, end, held = held.partition(b"\r\n\r\n")
            if not end:
                self._held = head
                return
            self._greet()
        self._held = held[self._frames(held) :]

    def _greet(self) -> None:
        self._open = True
        assert self._transport is not None
        if self._crowd.message:
            self._transport.write(masked(self._crowd.message))
        else:
            self._crowd.begin()

    def _frames(self, held: bytes) -> int:
        """Counts whole frames; where the rest begins."""
        at = 0
        while (found := _payload(held, at)) is not None:
            begin, end = found
            if held.startswith(self._crowd.prefix, begin):
                self._crowd.take(end - begin)
            elif held.startswith(_CAUGHT_UP, begin):
                self._crowd.begin()
            at = end
        return at


def _payload(held: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame begins and ends; None where it is not whole yet."""
    if len(held) - at < 2:
        return None
    length, begin = held[at + 1], at + 2
    if length == 126 and len(held) - at >= 4:
        length, begin = int.from_bytes(held[at + 2 : at + 4]), at + 4
    elif length == 127 and len(held) - at >= 10:
        length, begin = int.from_bytes(held[at + 2 : at + 10]), at + 10
    elif length >= 126:
        return None
    return (begin, begin + length) if begin + length <= len(held) else None


def masked(text: bytes) -> bytes:
    """A text frame of a client: RFC 6455 wants a mask, and any will do."""
    size = bytes((0x80 | len(text),)) if len(text) < 126 else struct.pack("!BH", 0x80 | 126, len(text))
    return b"\x81" + size + bytes(4) + text


async def listen(port: int, crowd: Crowd) -> dict[str, Any]:
    """When the last frame came, by the monotonic clock of the machine."""
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE)

    async def connect() -> None:
        async with gate:
            await loop.create_connection(lambda: Listener(crowd), "127.0.0.1", port)

    await asyncio.gather(*(connect() for _ in range(crowd.clients)))
    await crowd.ready.wait()
    print("ready", flush=True)  # noqa: T201  the parent waits for it
    await crowd.whole.wait()
    return {"at": time.monotonic(), "frames": crowd.got, "bytes": crowd.size}


def main() -> None:
    port, clients, frames, prefix, message, key = sys.argv[1:]
    crowd = Crowd(int(clients), int(frames), prefix.encode(), message.encode(), key)
    print(json.dumps(uvloop.run(listen(int(port), crowd))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
