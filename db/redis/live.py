"""The landed log and the latest prices as the live stream reads them: what belongs together in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast
from uuid import uuid4

import msgspec
from redis.asyncio import Redis

from db.redis.landed import A_READ, BEGINNING, COUNTERS, STREAM, Counters, Entry, Kind, counters, entry_of
from db.redis.latest import WIDTH, register_of

_NAMES: Final = 2000  # of one command


class Head(NamedTuple):
    """Where the log ends: its newest entry's id, the last number of each kind, the epoch."""

    position: str
    counters: Counters


class Look(NamedTuple):
    """Entries beyond a position, oldest first, at most `A_READ`; and the counters after them, or later."""

    entries: Sequence[Entry]
    counters: Counters


@dataclass(frozen=True, slots=True)
class Prices:
    """Latest prices by (tenant, instrument) as they were when the log ended at `head`."""

    head: Head
    prices: Mapping[tuple[str, str], dict[str, Any]]


async def head(redis: Redis) -> Head:
    """Where the log ends now. Where nothing was told yet it names the epoch: what is told then has one."""
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(COUNTERS, "epoch", uuid4().hex)
        _ask_head(pipe)
        return _head((await pipe.execute())[1:])


async def look(redis: Redis, after: str, wait_s: float) -> Look:
    """What came after a position; where there is nothing yet it waits, at most `wait_s`."""
    answer = cast("Any", await redis.xread({STREAM: after}, count=A_READ, block=max(1, int(wait_s * 1000))))
    stored = cast("dict[bytes, bytes]", await cast("Any", redis.hgetall(COUNTERS)))
    return Look([entry_of(key.decode(), fields) for key, fields in (answer[0][1] if answer else [])], counters(stored))


async def since(
    redis: Redis, kind: Kind, after: str, until: str, count: int = A_READ
) -> tuple[list[Entry], str | None]:
    """Entries of a kind among some of those in (after, until], and where to go on from; None at the end."""
    found = cast("list[Any]", await redis.xrange(STREAM, min=f"({after}", max=until, count=count))
    entries = [entry_of(key.decode(), fields) for key, fields in found if fields[b"kind"] == kind.encode()]
    return entries, found[-1][0].decode() if len(found) == count else None


async def prices(redis: Redis, names: Mapping[str, Sequence[str]]) -> Prices:
    """The latest prices of these instruments (by tenant), with where the log ended in the same moment."""
    chunks = [(tenant, some[at : at + _NAMES]) for tenant, some in names.items() for at in range(0, len(some), _NAMES)]
    async with redis.pipeline(transaction=True) as pipe:
        _ask_head(pipe)
        for tenant, some in chunks:
            pipe.hmget(register_of(tenant), list(some))
        answers = await pipe.execute()
    found = dict[tuple[str, str], dict[str, Any]]()
    for (tenant, some), blobs in zip(chunks, answers[2:], strict=True):
        held = zip(some, cast("list[bytes | None]", blobs), strict=True)
        found |= {
            (tenant, name): msgspec.json.decode(blob[WIDTH:]) for name, blob in held if blob and len(blob) > WIDTH
        }
    return Prices(_head(answers), found)


def _ask_head(pipe: Any) -> None:
    pipe.xrevrange(STREAM, count=1)
    pipe.hgetall(COUNTERS)


def _head(answers: list[Any]) -> Head:
    newest = answers[0]
    return Head(newest[0][0].decode() if newest else BEGINNING, counters(answers[1]))
