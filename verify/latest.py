"""I6: the latest price of every instrument, read from Redis as plain text, against its newest usable tick."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

import msgspec
from redis import Redis

from verify.bars import Rules, bounds_of, replay
from verify.model import Difference
from verify.ticks import Series

_DIGITS: Final = 19
_KEY: Final = 3 * _DIGITS  # bar start, ver, tail
_COUNTED: Final = (1 << 40) - 1  # the lower part of `ver` counts publications


class Latest(NamedTuple):
    """A bar start with its count of publications, and the closing tick's (instant, price); None: no price."""

    bar_start: int
    seen: int
    price: tuple[int, int] | None


def expected(one: Series, rules: Rules) -> Latest:
    """What the register must hold: the key of the newest bar, the closing tick of the newest usable one."""
    bounds = bounds_of(rules.intervals[0], rules.zone)
    identities = replay(one.publications, rules.unusable)
    newest = max(bounds(each.current.start)[0] for each in identities)
    members = {each.current.identity for each in identities if bounds(each.current.start)[0] == newest}
    seen = sum(publication.identity in members for publication in one.publications)
    usable = [each.current for each in identities if not each.current.flags & rules.unusable]
    closing = max(usable, key=lambda p: (p.start, p.source_rank, p.event_id, p.ts), default=None)
    return Latest(newest, seen, None if closing is None else (closing.ts, closing.price))


def stored(redis: Redis, tenant: str, instruments: Sequence[str]) -> dict[str, Latest | None]:
    """What the register holds for some instruments."""
    blobs = cast("list[bytes | None]", redis.hmget(f"latest:{tenant}", list(instruments)))
    return {name: _latest(blob) if blob else None for name, blob in zip(instruments, blobs, strict=True)}


def _latest(blob: bytes) -> Latest:
    start, ver = int(blob[:_DIGITS]), int(blob[_DIGITS : 2 * _DIGITS])
    content = blob[_KEY:]
    if not content:
        return Latest(start, ver & _COUNTED, None)
    tick = msgspec.json.decode(content, type=dict[str, Any])
    price = int(Decimal(str(tick["price"])).scaleb(9))
    return Latest(start, ver & _COUNTED, (int(tick["ts"]), price))


def differences(one: Series, rules: Rules, found: Latest | None) -> Iterator[Difference]:
    """How the register's price differs from what it must be."""
    wanted = expected(one, rules)
    if found == wanted:
        return
    went_back = found is not None and found[:2] < wanted[:2]
    note = " (it went back, or was never written)" if found is None or went_back else ""
    yield Difference("I6", f"latest price of {one.name}", str(wanted), f"{found}{note}")
