"""Frames as bytes: JSON made once for all clients that get the same, and framed once for WebSockets."""

import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from api.live.row import Row

FRAME_BYTES: Final = 256 * 1024  # of rows: libraries of clients often take no more than a MiB
_TEXT: Final = 0x81  # a whole text message
_ENCODER: Final = msgspec.json.Encoder()


class Frame:
    """`json` is the message; `type` its type, and `token` what resumes after it."""

    __slots__ = ("_framed", "json", "token", "type")

    def __init__(self, kind: str, json: bytes, token: str = "") -> None:
        self.type = kind
        self.json = json
        self.token = token
        self._framed = b""

    @property
    def framed(self) -> bytes:
        """As it travels in a WebSocket from the server: RFC 6455, section 5.2, unmasked."""
        if not self._framed:
            self._framed = _header(len(self.json)) + self.json
        return self._framed


def plain(**fields: Any) -> Frame:
    """A frame without rows; `type` is one of its fields."""
    return Frame(fields["type"], _ENCODER.encode(fields))


def with_rows(head: dict[str, Any], rows: Sequence[Row]) -> Frame:
    """A frame with rows; `head` holds `type`, `resume` and what else comes before `data`."""
    begun = _ENCODER.encode(head)[:-1]
    data = b",".join([row.text for row in rows])
    return Frame(head["type"], b"".join((begun, b',"data":[', data, b"]}")), head["resume"] or "")


def parts(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Rows in parts that each fit a frame; one part where there is no row."""
    found, begin, size = list[Sequence[Row]](), 0, 0
    for at, row in enumerate(rows):
        if at > begin and size + len(row.text) > FRAME_BYTES:
            found.append(rows[begin:at])
            begin, size = at, 0
        size += len(row.text)
    return [*found, rows[begin:]]


def _header(length: int) -> bytes:
    if length < 126:
        return bytes((_TEXT, length))
    return struct.pack("!BBH", _TEXT, 126, length) if length < 65_536 else struct.pack("!BBQ", _TEXT, 127, length)
