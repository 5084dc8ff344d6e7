"""The landed log: what changed, in landing order, for caches, live streams and other consumers.

A Redis stream `landed`, bounded by time and by number of entries. An entry has `tenant`, `kind` (`latest` or `bar`)
and `rows`, a JSON array of [instrument, interval, start, revision]: the interval is empty for a latest price, the
start is in microseconds since 1970 and, like the revision, null where an instrument has no price any more.

It says that something changed, not what to: a reader asks for the rest. A price or a bar whose content stays as it is
adds nothing, however often it is sent. After a crash a change may be told twice, never not at all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from service import clock

Kind = Literal["latest", "bar"]
STREAM: Final = "landed"
BEGINNING: Final = "0-0"
AN_ENTRY: Final = 250  # changes, at most
A_READ: Final = 1000  # entries, at most: where a read gives so many there may be more


class Change(NamedTuple):
    """One price or bar that changed; see the top of this file."""

    instrument: str
    interval: str
    start_us: int | None
    revision: int | None


class Entry(NamedTuple):
    """Changes of one tenant that landed together. Ids grow, also over a Redis that was emptied."""

    id: str
    tenant: str
    kind: Kind
    changes: Sequence[Change]


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


_CHANGES: Final = msgspec.json.Decoder(list[Change])


def row(change: Change) -> str:
    """A change as it stands in `rows`."""
    return msgspec.json.encode(change).decode()


def append_bars(redis: Redis, changes: Iterable[tuple[str, Change]], bounds: Bounds) -> None:
    """Adds (tenant, change) of bars, all or none; drops what is too old."""
    oldest = clock.now_us() // 1000 - bounds.seconds * 1000
    with redis.pipeline(transaction=True) as pipe:
        for tenant, rows in _by_tenant(changes):
            fields = {"tenant": tenant, "kind": "bar", "rows": f"[{','.join(map(row, rows))}]"}
            pipe.xadd(STREAM, cast("Any", fields), maxlen=bounds.entries, approximate=False)
        pipe.xtrim(STREAM, minid=oldest, approximate=False)
        pipe.execute()


def _by_tenant(changes: Iterable[tuple[str, Change]]) -> Iterator[tuple[str, Sequence[Change]]]:
    of: dict[str, list[Change]] = {}
    for tenant, change in changes:
        of.setdefault(tenant, []).append(change)
    for tenant, rows in of.items():
        for at in range(0, len(rows), AN_ENTRY):
            yield tenant, rows[at : at + AN_ENTRY]


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
    entries = [_entry(key.decode(), fields) for key, fields in found]
    return Read(entries, entries[-1].id, gap=_gap(after, *whole))


def _gap(after: str, there: Any, info: Any) -> bool:
    """Entries are dropped from the oldest on: where the one at the position is still there, none after it was."""
    if isinstance(there, Exception) or isinstance(info, Exception):
        return True  # the log was lost in between
    if after == BEGINNING:
        return bool(info["entries-added"] > info["length"])
    return not there


def _entry(key: str, fields: dict[bytes, bytes]) -> Entry:
    kind = cast("Kind", fields[b"kind"].decode())
    return Entry(key, fields[b"tenant"].decode(), kind, _CHANGES.decode(fields[b"rows"]))
