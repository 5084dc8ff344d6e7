"""The client of `gridtick bench api`: kept connections over which one request follows the other."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.errors import DataProcessingError

CONNECTIONS: Final = 8
_BUFFER: Final = 4 * 1024 * 1024  # an answer is larger than this nowhere here
_HEAD: Final = 8192
_LENGTH: Final = b"content-length: "
_PATIENCE_S: Final = 30.0
_LOOK_S: Final = 0.05
_WARM: Final = 0.2  # of the time, before it counts


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers a second, milliseconds, and the share of a core that the client took."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    client_cpu: float


def status_of(answer: bytes | bytearray) -> int:
    """The status of an answer that has begun."""
    return int(answer[9:12])


def request(target: str, headers: Sequence[str] = ()) -> bytes:
    """A GET as it goes over the wire."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def drive(port: int, wires: Iterator[bytes], seconds: float, status: int = 200, connections: int = CONNECTIONS) -> Rate:
    """Sends one request after the other for some seconds over some connections.

    Raises `DataProcessingError` for an answer of another status, and for a server that gives none or hangs up.
    """
    return asyncio.run(_drive(port, wires, seconds, status, connections))


async def _drive(port: int, wires: Iterator[bytes], seconds: float, status: int, connections: int) -> Rate:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: _Asking(wires, status), "127.0.0.1", port) for _ in range(connections)]
    asking = [each for _, each in made]
    await asyncio.sleep(seconds * _WARM)
    for each in asking:
        each.took.clear()
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    late = began + _PATIENCE_S
    while not any(each.took or each.failed for each in asking) and time.perf_counter() < late:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)  # an answer may take longer than all of a short run
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    took = sorted(took for each in asking for took in each.took)
    for transport, _ in made:
        transport.close()
    if not took or any(each.failed for each in asking):
        raise DataProcessingError("an answer is missing or not what was asked for: such a rate says nothing", "cli")
    return _rate(took, spent, used / spent)


def _rate(took: Sequence[float], spent: float, cpu: float) -> Rate:
    p50, p99 = (took[min(len(took) - 1, int(len(took) * share))] * 1000 for share in (0.5, 0.99))
    return Rate(len(took) / spent, p50, p99, cpu)


class _Asking(asyncio.BufferedProtocol):
    """One connection: asks, reads to the end of the answer, asks again."""

    def __init__(self, wires: Iterator[bytes], status: int) -> None:
        self._wires = wires
        self._status = status
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._filled = self._whole = 0
        self._asked = 0.0
        self.took: list[float] = []
        self.failed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self.failed |= not self._transport.is_closing() or exc is not None

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the protocol's signature
        return self._view[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        if not self._whole:
            self._whole = self._size()
        if self._whole and self._filled >= self._whole:
            self.took.append(time.perf_counter() - self._asked)
            self.failed |= status_of(self._buffer) != self._status
            self._ask()

    def _ask(self) -> None:
        self._filled = self._whole = 0
        self._asked = time.perf_counter()
        self._transport.write(next(self._wires))

    def _size(self) -> int:
        """Bytes of the whole answer; 0 while its head is not there."""
        end = self._buffer.find(b"\r\n\r\n", 0, min(self._filled, _HEAD))
        if end < 0:
            return 0
        if status_of(self._buffer) == 304:
            return end + 4
        at = self._buffer.find(_LENGTH, 0, end)
        if at < 0:
            raise DataProcessingError("an answer without content-length", "cli")
        at += len(_LENGTH)
        return end + 4 + int(self._buffer[at : self._buffer.index(b"\r", at)])
