"""What is added to the landed log (`db.redis.landed`): under the next number of its kind, with what it changed to."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple
from uuid import uuid4

import msgspec
from redis import Redis

from db.redis.landed import AN_ENTRY, COUNTERS, STREAM, Bounds, Change, Kind, row
from service import clock, zstd

TOLD: Final = "landed:ticks"  # of each partition which offsets were told
_ENCODER: Final = msgspec.msgpack.Encoder()
_LEVEL: Final = 1
_A_WHILE_S: Final = 600  # passes that race are seconds apart


class Told(NamedTuple):
    """A change of a tenant's, and what it is now, as JSON; empty where the log is not to hold that. `order`
    (`ordered`): what is told late does not follow what is newer; empty: told whatever was told before."""

    tenant: str
    change: Change
    content: bytes = b""
    order: str = ""


class Landed(NamedTuple):
    """Offsets [first, next) of a partition, and of each tenant with ticks there the instants (microseconds) of the
    lowest and the highest."""

    topic_id: str
    partition: int
    first: int
    next: int
    spans: Sequence[tuple[str, int, int]]


def append(redis: Redis, kind: Kind, changes: Iterable[Told], bounds: Bounds) -> None:
    """Adds changes, all or none; drops what is too old. Of each bar or curve what was told within some minutes, or is
    older than that, is not told again."""
    script(redis, "append")(keys=keys(), args=arguments(kind, changes, bounds))


def keys() -> list[str]:
    """Of the script `append`."""
    while_of = clock.now_us() // 1_000_000 // _A_WHILE_S
    return [STREAM, COUNTERS, f"landed:told:{while_of}", f"landed:told:{while_of - 1}"]


def arguments(kind: Kind, changes: Iterable[Told], bounds: Bounds) -> list[str | int | bytes]:
    """Of the script `append`."""
    found = list(_by_tenant(changes))
    entries = _ENCODER.encode([_entry(tenant, kind, some) for tenant, some in found])
    values = [_values(some) for _, some in found]
    return [uuid4().hex, bounds.entries, _oldest_ms(bounds), 2 * _A_WHILE_S, entries, *values]


def ordered(ver: int, state: int) -> str:
    """The order of a version, and of contents of one version."""
    return f"{ver:020}{state:020}"


def _entry(tenant: str, kind: Kind, some: Sequence[Told]) -> list[object]:
    names = [f"{tenant}\0{row(each.change._replace(revision=None))}" for each in some]
    return [tenant, kind, names, [each.order for each in some], [row(each.change) for each in some]]


def _values(some: Sequence[Told]) -> bytes:
    contents = [each.content for each in some]
    return packed(contents) if all(contents) else b""


def append_ticks(redis: Redis, landed: Landed, bounds: Bounds) -> bool:
    """Adds that the ticks of these offsets are there, but for what was added before; whether anything was."""
    place = f"{landed.topic_id}:{landed.partition}"
    given = [uuid4().hex, bounds.entries, _oldest_ms(bounds), place, landed.first, landed.next]
    spans = _ENCODER.encode([[tenant, str(low), str(high)] for tenant, low, high in landed.spans])
    return bool(script(redis, "append_ticks")(keys=[STREAM, COUNTERS, TOLD], args=[*given, spans]))


def packed(contents: Sequence[bytes | str]) -> bytes:
    """JSON texts as one compressed array."""
    texts = [each if isinstance(each, bytes) else each.encode() for each in contents]
    return zstd.compress(b"[" + b",".join(texts) + b"]", _LEVEL)


def script(redis: Redis, name: str) -> Any:
    return redis.register_script(source(name))


@cache
def source(name: str) -> str:
    return files("db.redis").joinpath(f"{name}.lua").read_text(encoding="utf-8")


def _oldest_ms(bounds: Bounds) -> int:
    return clock.now_us() // 1000 - bounds.seconds * 1000


def _by_tenant(changes: Iterable[Told]) -> Iterator[tuple[str, Sequence[Told]]]:
    of: dict[str, list[Told]] = {}
    for each in changes:
        of.setdefault(each.tenant, []).append(each)
    for tenant, some in of.items():
        for at in range(0, len(some), AN_ENTRY):
            yield tenant, some[at : at + AN_ENTRY]
