"""The landed log: what changed, in landing order, for caches, live streams and other consumers.

A Redis stream `landed`, bounded by time and by number of entries. An entry has `seq`, which counts the entries of its
kind, `tenant`, `kind`, `rows` and `values`. Of `latest`, `bar` and `curve`, `rows` is a JSON array of [name, interval,
start, revision]: the interval is empty but for bars, the start in microseconds since 1970 (of a curve: of its session)
and, like the revision, null where an instrument has no price any more; `values` holds what they have changed to
(`contents`). Of `tick` it is [topic id and partition, first offset, next offset, lowest, highest]: the ticks of these
offsets, whose instants (microseconds) lie in [lowest, highest], can be read; `values` is empty.

A price or a bar whose content stays as it is adds nothing, however often it is sent, and offsets are told once. After
a crash a change may be told twice, never not at all. Numbers grow by one as long as the `epoch` of the counters stands:
an emptied Redis has a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from service import zstd

Kind = Literal["latest", "bar", "curve", "tick"]
STREAM: Final = "landed"
COUNTERS: Final = "landed:seq"
BEGINNING: Final = "0-0"
AN_ENTRY: Final = 250  # changes, at most
A_READ: Final = 1000  # entries, at most: where a read gives so many there may be more


class Change(NamedTuple):
    """One price, bar or curve that changed; see the top of this file."""

    instrument: str
    interval: str
    start_us: int | None
    revision: int | None


class Offsets(NamedTuple):
    """Ticks that landed: `place` is topic id and partition, joined by a colon."""

    place: str
    first: int
    next: int
    low_us: int
    high_us: int


class Entry(NamedTuple):
    """Changes of one tenant that landed together. Ids grow, also over a Redis that was emptied.

    `changes` is empty of `tick`, `offsets` null of the others.
    """

    id: str
    seq: int
    tenant: str
    kind: Kind
    changes: Sequence[Change]
    offsets: Offsets | None
    values: bytes

    @property
    def landed_us(self) -> int:
        """When, by the clock of Redis, in microseconds since 1970."""
        return int(self.id.partition("-")[0]) * 1000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of the log is kept: seconds, and entries of at most `AN_ENTRY` changes each."""

    seconds: int
    entries: int


class Read(NamedTuple):
    """What came after a position, and the position to go on from.

    `gap`: entries between the position and these may have been dropped, or lost with Redis: begin anew.
    """

    entries: Sequence[Entry]
    position: str
    gap: bool


class Counters(NamedTuple):
    """`epoch` is empty before anything is told; the last number of each kind, 0 before."""

    epoch: str
    last: dict[str, int]


_CHANGES: Final = msgspec.json.Decoder(list[Change])
_OFFSETS: Final = msgspec.json.Decoder(Offsets)
_CONTENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def row(change: Change) -> str:
    """A change as it stands in `rows`."""
    return msgspec.json.encode(change).decode()


def contents(entry: Entry) -> list[bytes]:
    """What its changes have become, as JSON objects that name themselves, in any order; others may be among them.
    Nothing of a price that is none any more, or where the entry holds none."""
    if not entry.values:
        return []
    return [bytes(each) for each in _CONTENTS.decode(zstd.ZstdDecompressor().decompress(entry.values))]


def counters(stored: dict[bytes, bytes]) -> Counters:
    """Of the hash `COUNTERS`."""
    plain = {name.decode(): value.decode() for name, value in stored.items()}
    return Counters(plain.pop("epoch", ""), {name: int(value) for name, value in plain.items()})


def read(redis: Redis, after: str) -> Read:
    """Up to 1,000 entries after a position (`BEGINNING`, or one that was given), oldest first."""
    found = cast("list[Any]", redis.xrange(STREAM, min=f"({after}", count=A_READ))
    if not found:
        return Read((), after, gap=False)
    with redis.pipeline(transaction=False) as pipe:
        _ask_whether_whole(pipe, after)
        return _read(found, after, pipe.execute(raise_on_error=False))


def newest(redis: Redis) -> str:
    """The position of the newest entry: what is read after it came later than this call."""
    return _newest(cast("list[tuple[bytes, Any]]", redis.xrevrange(STREAM, count=1)))


async def newest_async(redis: AsyncRedis) -> str:
    """The same, for asyncio."""
    return _newest(cast("list[tuple[bytes, Any]]", await redis.xrevrange(STREAM, count=1)))


def _newest(found: list[tuple[bytes, Any]]) -> str:
    return found[0][0].decode() if found else BEGINNING


async def follow(redis: AsyncRedis, after: str, wait_s: float) -> Read:
    """The same as `read`; where there is nothing yet it waits, at most `wait_s`."""
    answer = cast("Any", await redis.xread({STREAM: after}, count=A_READ, block=max(1, int(wait_s * 1000))))
    found = answer[0][1] if answer else []
    if not found:
        return Read((), after, gap=False)
    async with redis.pipeline(transaction=False) as pipe:
        _ask_whether_whole(pipe, after)
        return _read(found, after, await pipe.execute(raise_on_error=False))


def _ask_whether_whole(pipe: Any, after: str) -> None:
    """Asked once the entries were read: what was dropped before that is seen."""
    pipe.xrange(STREAM, min=after, max=after)
    pipe.xinfo_stream(STREAM)


def _read(found: list[tuple[bytes, dict[bytes, bytes]]], after: str, whole: list[Any]) -> Read:
    entries = [entry_of(key.decode(), fields) for key, fields in found]
    return Read(entries, entries[-1].id, gap=_gap(after, *whole))


def _gap(after: str, there: Any, info: Any) -> bool:
    """Entries are dropped from the oldest on: where the one at the position is still there, none after it was."""
    if isinstance(there, Exception) or isinstance(info, Exception):
        return True  # the log was lost in between
    if after == BEGINNING:
        return bool(info["entries-added"] > info["length"])
    return not there


def entry_of(key: str, fields: dict[bytes, bytes]) -> Entry:
    """An entry as Redis gives it."""
    kind, rows = cast("Kind", fields[b"kind"].decode()), fields[b"rows"]
    changes = [] if kind == "tick" else _CHANGES.decode(rows)
    offsets = _OFFSETS.decode(rows) if kind == "tick" else None
    return Entry(key, int(fields[b"seq"]), fields[b"tenant"].decode(), kind, changes, offsets, fields[b"values"])
