"""A dead letter that is sent again: which message it stands for, at which attempt, and under which labels.

The header `HEADER` of a raw message says so. Its value stays the original bytes: labels that were wrong are set
right when it is read. Without the header, or with one that cannot be read, a message is an ordinary one.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from pipeline.errors import DataProcessingError

HEADER: Final = "gridtick.replay"
MOST_ATTEMPTS: Final = 2**31 - 1


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is read instead of the sender's own market, product or tenant; null: what the sender said."""

    market: str | None = None
    product: str | None = None
    tenant: str | None = None

    def over(self, others: "Labels") -> "Labels":
        """These, and where one is null that of `others`."""
        return Labels(self.market or others.market, self.product or others.product, self.tenant or others.tenant)


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The first message of a dead letter (topic, Kafka's id of it, place, append time), read at the given attempt."""

    topic: str
    topic_id: str
    partition: int
    offset: int
    stamp_ms: int
    attempt: int
    labels: Labels = Labels()

    @property
    def origin(self) -> str:
        """The position that its prices keep as their identity, however often it is sent."""
        return position(self.topic_id, self.partition, self.offset)


_DECODER: Final = msgspec.json.Decoder(Replay)
_PARTS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def position(topic_id: str, partition: int, offset: int) -> str:
    """A message's place as text; a topic id may hold `/`."""
    return f"{topic_id}/{partition}/{offset}"


def header(replay: Replay) -> tuple[str, bytes]:
    """The header that makes a message a replay."""
    return HEADER, msgspec.json.encode(replay)


def of(headers: Iterable[tuple[str, bytes | None]]) -> Replay | None:
    """What the headers of a message say; nothing where it is an ordinary one."""
    found = [value for name, value in headers if name == HEADER]
    if not found or found[-1] is None:
        return None
    try:
        replay = _DECODER.decode(found[-1])
    except _UNREADABLE:
        return None
    return replay if _is_possible(replay) else None


def _is_possible(replay: Replay) -> bool:
    places = 0 <= replay.partition < 2**31 and 0 <= replay.offset < 2**63 and 0 <= replay.stamp_ms < 2**53
    return places and 1 < replay.attempt <= MOST_ATTEMPTS and bool(replay.topic and replay.topic_id)


def relabelled(value: bytes, labels: Labels) -> bytes:
    """The message with these labels instead of its own; all other text of it stays as it is.

    Raises `DataProcessingError` for what is no envelope: it has no labels.
    """
    if labels == Labels():
        return value
    try:
        message = _PARTS.decode(value)
        head, payload = _PARTS.decode(message["envelope"]), _PARTS.decode(message["payload"])
    except (*_UNREADABLE, KeyError):
        raise DataProcessingError("the message is no envelope: it has no market, product or tenant", "cli") from None
    payload |= _texts({"market": labels.market, "product": labels.product})
    head |= _texts({"tenant_id": labels.tenant})
    return msgspec.json.encode({**message, "envelope": head, "payload": payload})


def _texts(labels: dict[str, str | None]) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(msgspec.json.encode(text)) for name, text in labels.items() if text is not None}
