"""The wire: raw messages to columns of generic ticks, exchange documents and refusals.

Hot path: a chunk of messages is decoded into structs that the garbage collector ignores, read out column by
column and dropped. Numbers stay raw text until they are parsed as columns. A chunk that does not decode as a
whole is read message by message, so that a bad one refuses itself alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import polars as pl

from pipeline.blame import blame
from pipeline.rejects import Reject

_CHUNK: Final = 2_000  # messages: their structs stay within the processor's cache
_ABSENT: Final = msgspec.Raw()


NUMBERS: Final = ("price", "volume", "bid", "ask")
_TEXTS: Final = ("market", "instrument", "product", "event_id", "tenant", "source", "timestamp")


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Messages of one partition, in order. `known_at_us`: running maximum of append times, microseconds UTC.

    `origins`: of a dead letter that was sent again (by its index) the position of the message that it stands for.
    """

    topic_id: str
    partition: int
    offsets: list[int]
    known_at_us: list[int]
    values: list[bytes]
    origins: Mapping[int, str] = field(default_factory=dict[int, str])


class RawData(msgspec.Struct, gc=False):
    timestamp: str | None = None
    price: msgspec.Raw = _ABSENT
    volume: msgspec.Raw = _ABSENT
    bid: msgspec.Raw = _ABSENT
    ask: msgspec.Raw = _ABSENT


class Payload(msgspec.Struct, gc=False):
    """Either a generic tick (`instrument_id`, `raw_data`) or an exchange's document (`document` and its kin)."""

    market: str | None = None
    instrument_id: str | None = None
    raw_data: RawData = msgspec.field(default_factory=RawData)
    product: str | None = None
    format: str | None = None
    encoding: str | None = None
    name: str | None = None
    document: str | None = None


class Envelope(msgspec.Struct, gc=False):
    event_id: str | None = None
    tenant_id: str | None = None
    source: str | None = None


class Message(msgspec.Struct, gc=False):
    envelope: Envelope
    payload: Payload


@dataclass(frozen=True, slots=True)
class Carried:
    """A message that carries an exchange's document; `index`: its place in the batch."""

    index: int
    envelope: Envelope
    payload: Payload


@dataclass(frozen=True, slots=True)
class Read:
    """`generic`: one row a generic tick, its cells as text as they came, and `index`, its place in the batch."""

    generic: pl.DataFrame
    documents: list[Carried]
    rejects: list[Reject]


_decode: Final = msgspec.json.Decoder(Message).decode
_encode_lines: Final = msgspec.json.Encoder().encode_lines
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read(batch: RawBatch) -> Read:
    """Every message of the batch once: as a generic row, a document or a refusal. Never raises for bad data."""
    columns, documents, rejects = _Columns(), list[Carried](), list[Reject]()
    for first in range(0, len(batch.values), _CHUNK):
        values = batch.values[first : first + _CHUNK]
        try:
            messages, places = list(map(_decode, values)), range(first, first + len(values))
        except _UNREADABLE:
            messages, places = _one_by_one(values, first, rejects)
        payloads = [message.payload for message in messages]
        if any([payload.document is not None for payload in payloads]):  # noqa: C419 (twice as fast as a generator)
            messages, places = _without_documents(messages, places, documents)
        columns.add(messages, places)
    return Read(columns.frame(), documents, rejects)


def _one_by_one(values: Sequence[bytes], first: int, rejects: list[Reject]) -> tuple[list[Message], list[int]]:
    messages, places = list[Message](), list[int]()
    for index, value in enumerate(values, first):
        try:
            messages.append(_decode(value))
            places.append(index)
        except _UNREADABLE as error:
            rejects.append(blame(index, value, error))
    return messages, places


def _without_documents(
    messages: Sequence[Message], places: Sequence[int], documents: list[Carried]
) -> tuple[list[Message], list[int]]:
    generic, left = list[Message](), list[int]()
    for message, index in zip(messages, places, strict=True):
        if message.payload.document is None:
            generic.append(message)
            left.append(index)
        else:
            documents.append(Carried(index, message.envelope, message.payload))
    return generic, left


class _Columns:
    """The cells of generic messages, gathered over chunks; numbers as lines of raw JSON."""

    def __init__(self) -> None:
        self.index: list[int] = []
        self.texts: dict[str, list[str | None]] = {name: [] for name in _TEXTS}
        self.numbers: dict[str, list[bytes]] = {name: [] for name in NUMBERS}

    def add(self, messages: Sequence[Message], places: Sequence[int]) -> None:
        payloads = [message.payload for message in messages]
        envelopes = [message.envelope for message in messages]
        data = [payload.raw_data for payload in payloads]
        texts, numbers = self.texts, self.numbers
        self.index += places
        texts["market"] += [payload.market for payload in payloads]
        texts["instrument"] += [payload.instrument_id for payload in payloads]
        texts["product"] += [payload.product for payload in payloads]
        texts["event_id"] += [envelope.event_id for envelope in envelopes]
        texts["tenant"] += [envelope.tenant_id for envelope in envelopes]
        texts["source"] += [envelope.source for envelope in envelopes]
        texts["timestamp"] += [each.timestamp for each in data]
        numbers["price"].append(_lines([each.price for each in data]))
        numbers["volume"].append(_lines([each.volume for each in data]))
        numbers["bid"].append(_lines([each.bid for each in data]))
        numbers["ask"].append(_lines([each.ask for each in data]))

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(
            [
                pl.Series("index", self.index, dtype=pl.UInt32),
                *(pl.Series(name, cells, dtype=pl.String) for name, cells in self.texts.items()),
                *(_number_text(name, b"".join(lines)) for name, lines in self.numbers.items()),
            ]
        )


def _lines(raws: list[msgspec.Raw]) -> bytes:
    """One line a value. JSON over several lines is no number: it is flattened, to be refused as what it is."""
    lines = _encode_lines(raws)
    if lines.count(b"\n") == len(raws):
        return lines
    return b"".join([b" ".join(bytes(raw).split()) + b"\n" for raw in raws])


def _number_text(name: str, lines: bytes) -> pl.Series:
    """JSON numbers, and strings that hold one, as text; null where nothing stands."""
    if not lines:
        return pl.Series(name, dtype=pl.String)
    text = pl.Series(name, [lines[:-1].decode(errors="replace")]).str.split("\n").explode()
    if b'"' in lines:
        text = text.str.strip_prefix('"').str.strip_suffix('"')
    if b"null" in lines:
        text = text.set(text == "null", "")
    return text
