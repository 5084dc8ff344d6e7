"""One message of the dead-letter topic: what its headers say, and the message that it keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec
from confluent_kafka import Message

from pipeline import replay
from pipeline.replay import Labels

PREFIX: Final = "gridtick."
# Every header that is not the sender's: of a dead letter, and of one that was sent again.
THEIR_OWN: Final = frozenset(
    {replay.HEADER}
    | {
        PREFIX + name
        for name in (
            "original_topic", "original_partition", "original_offset", "original_timestamp", "identity", "stage",
            "error_class", "error_message", "attempts", "first_seen", "program_version", "labels", "refused_rows",
            "rows", "replayed_at", "truncated_bytes",
        )
    }
)  # fmt: skip
Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its bytes.

    `origin`: the position of the first message, the same over all attempts. `market`, `name`: as the message names
    them (of a tick the instrument), null where it cannot be read. `place`: partition and offset of the letter itself.
    Instants are ms since 1970.
    """

    origin: str
    topic: str
    stamp_ms: int
    written_ms: int
    place: tuple[int, int]
    stage: str
    error_class: str
    message: str
    attempts: int
    refused_rows: int
    truncated_bytes: int
    size: int
    labels: Labels
    market: str | None
    name: str | None

    @property
    def first(self) -> tuple[str, int, int]:
        """Topic id, partition and offset of the first message."""
        topic_id, partition, offset = self.origin.rsplit("/", 2)
        return topic_id, int(partition), int(offset)


@dataclass(frozen=True, slots=True)
class Original:
    """A message as its sender sent it; `headers` are his own, `told` those that the dead letter added."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    told: Mapping[str, str]


class _Payload(msgspec.Struct):
    market: str | None = None
    name: str | None = None
    instrument_id: str | None = None


class _Said(msgspec.Struct):
    payload: _Payload


_SAID: Final = msgspec.json.Decoder(_Said)
_LABELS: Final = msgspec.json.Decoder(Labels)
_LATEST_MS: Final = 4_102_444_800_000  # 2100
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def letter_of(message: Message) -> Letter | None:
    """The letter; nothing for another message that somebody has put on the topic."""
    told = _told(message)
    try:
        return _letter(message, told)
    except (KeyError, ValueError):
        return None


def original_of(message: Message) -> Original:
    """The message that a letter keeps."""
    theirs = [each for each in _headers(message) if each[0] not in THEIR_OWN]
    return Original(_bytes(message.key()), _bytes(message.value()), theirs, _told(message))


def _letter(message: Message, told: Mapping[str, str]) -> Letter:
    value = _bytes(message.value()) or b""
    payload = _said(value)
    return Letter(
        origin=_origin(told["identity"]),
        topic=told["original_topic"],
        stamp_ms=_within(int(told["original_timestamp"]), _LATEST_MS),
        written_ms=max(message.timestamp()[1], 0),
        place=(message.partition() or 0, message.offset() or 0),
        stage=told["stage"],
        error_class=told["error_class"],
        message=told["error_message"],
        attempts=_within(int(told["attempts"]), replay.MOST_ATTEMPTS - 1),
        refused_rows=int(told.get("refused_rows", "0")),
        truncated_bytes=int(told.get("truncated_bytes", "0")),
        size=len(value) + int(told.get("truncated_bytes", "0")),
        labels=_labels(told.get("labels")),
        market=payload.market,
        name=payload.name or payload.instrument_id,
    )


def _origin(identity: str) -> str:
    topic_id, partition, offset, _ = identity.rsplit("/", 3)
    return replay.position(topic_id, _within(int(partition), 2**31 - 1), _within(int(offset), 2**63 - 1))


def _within(number: int, most: int) -> int:
    if not 0 <= number <= most:
        raise ValueError(number)
    return number


def _told(message: Message) -> dict[str, str]:
    """The letter's own headers without their prefix; of several of a name the last, which was added last."""
    return {
        name.removeprefix(PREFIX): (value or b"").decode(errors="replace")
        for name, value in _headers(message)
        if name in THEIR_OWN
    }


def _headers(message: Message) -> list[Header]:
    found = cast("Sequence[tuple[str, bytes | str | None]]", message.headers() or ())
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in found]


def _bytes(content: object) -> bytes | None:
    return content if isinstance(content, bytes) else None


def _said(value: bytes) -> _Payload:
    try:
        return _SAID.decode(value).payload
    except _UNREADABLE:
        return _Payload()


def _labels(text: str | None) -> Labels:
    try:
        return _LABELS.decode(text) if text else Labels()
    except _UNREADABLE:
        return Labels()
