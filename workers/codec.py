"""How messages travel between the stages: packed as msgpack and compressed."""

from array import array
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pipeline.errors import DataProcessingError
from service import zstd

Header = tuple[str, bytes | None]


class Messages(msgspec.Struct, frozen=True):
    """Raw messages of one partition in offset order, as columns of equal length.

    `stamps_us` are the append times as the broker gave them, `known_at_us` their running maximum.
    `headers` holds only the messages that have some, by their index. A value may be null (a tombstone).
    """

    offsets: Sequence[int]
    stamps_us: Sequence[int]
    known_at_us: Sequence[int]
    keys: Sequence[bytes | None]
    headers: dict[int, list[Header]]
    values: Sequence[bytes | None]

    def part(self, start: int, stop: int) -> "Messages":
        """The messages with index in [start, stop)."""
        headers = {i - start: each for i, each in self.headers.items() if start <= i < stop}
        cut = slice(start, stop)
        return Messages(
            self.offsets[cut],
            self.stamps_us[cut],
            self.known_at_us[cut],
            self.keys[cut],
            headers,
            self.values[cut],
        )


class _Packed(msgspec.Struct, array_like=True, gc=False):
    offsets: bytes
    stamps_us: bytes
    known_at_us: bytes
    keys: list[bytes | None]
    headers: dict[int, list[Header]]
    values: list[bytes | None]


# Half of LZ4's size for 0.4 CPU-seconds a million ticks: the window, and with it a pass, holds twice as many.
_LEVEL: Final = 1
_LARGEST: Final = 2**30  # no batch comes near it
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Packed)


def pack(messages: Messages) -> bytes:
    """The messages as one blob."""
    packed = _Packed(
        _numbers(messages.offsets),
        _numbers(messages.stamps_us),
        _numbers(messages.known_at_us),
        list(messages.keys),
        messages.headers,
        list(messages.values),
    )
    return _squeezed(_ENCODER.encode(packed))


def unpack(blob: bytes) -> Messages:
    """What `pack` wrote. Raises `DataProcessingError` for other bytes."""
    try:
        packed = _DECODER.decode(_whole(blob))
    except (msgspec.MsgspecError, zstd.ZstdError, ValueError) as error:
        raise DataProcessingError(f"a claim check holds no packed messages: {error}", "normalize") from None
    return Messages(
        _read(packed.offsets),
        _read(packed.stamps_us),
        _read(packed.known_at_us),
        packed.keys,
        packed.headers,
        packed.values,
    )


def _squeezed(data: bytes) -> bytes:
    """Compressed, behind its length: the bridge holds it until it has landed, and Redis carries it."""
    return len(data).to_bytes(8, "little") + zstd.compress(data, _LEVEL)


def _whole(blob: bytes) -> bytes:
    size = int.from_bytes(blob[:8], "little")
    if size > _LARGEST:
        raise ValueError(f"{size} bytes are announced")
    whole = zstd.ZstdDecompressor().decompress(memoryview(blob)[8:], size)
    if len(whole) != size:
        raise ValueError(f"{size} bytes are announced, {len(whole)} are there")
    return whole


def _numbers(values: Sequence[int]) -> bytes:
    return array("q", values).tobytes()


def _read(data: bytes) -> list[int]:
    numbers = array("q")
    numbers.frombytes(data)
    return numbers.tolist()


def to_msgpack(value: Any) -> bytes:
    """Plain values (headers, lists, blobs) as msgpack."""
    return _ENCODER.encode(value)
