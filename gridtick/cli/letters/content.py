"""What a dead letter keeps: the message, and the exchange's document in it."""

from typing import Final

import msgspec

from pipeline import unpack
from pipeline.documents import packed_bytes
from pipeline.envelope import Message, Payload
from pipeline.errors import DataProcessingError

_DECODER: Final = msgspec.json.Decoder(Message)
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_GZIP: Final = b"\x1f\x8b"


def document(value: bytes) -> bytes | None:
    """The document in a message as its sender had it, packed where it was a packed file; null where there is none."""
    payload = _payload(value)
    if payload is None or payload.document is None:
        return None
    try:
        packed = packed_bytes(payload)
        # `gridtick send` packs what is not: the file was plain.
        plain = packed.startswith(_GZIP) and not (payload.name or "").lower().endswith(".gz")
        return _first(packed, payload.name or "") if plain else packed
    except DataProcessingError:
        return None


def readable(value: bytes) -> bytes:
    """What a person reads of a message: the first document in it, unpacked, else its own bytes."""
    found = document(value)
    if found is None:
        return value
    try:
        return _first(found, "")
    except DataProcessingError:
        return found


def _payload(value: bytes) -> Payload | None:
    try:
        return _DECODER.decode(value).payload
    except _UNREADABLE:
        return None


def _first(packed: bytes, name: str) -> bytes:
    members = [content for _, content in unpack.unpack(packed, name) if isinstance(content, bytes)]
    return members[0]
