"""I6: the latest price of every instrument, read from Redis as plain text, against its newest usable tick."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

import msgspec
from redis import Redis

from verify.bars import Identity, Rules, bounds_of, replay
from verify.model import Difference, Publication
from verify.ticks import ROW, VALUES, Series, publication_of

_DIGITS: Final = 19
_KEY: Final = 3 * _DIGITS  # bar start, ver, tail
_COUNTED: Final = (1 << 40) - 1  # the lower part of `ver` sums up parser versions


class Latest(NamedTuple):
    """A bar start, the sum of the parser versions of its publications, and what closes it; None: no price."""

    bar_start: int
    seen: int
    price: "Shown | None"


class Shown(NamedTuple):
    """The publication that stands for an identity, its revision, and whose it is."""

    tenant: str
    instrument: str
    market: str
    product: str
    publication: Publication
    revision: int


def expected(one: Series, rules: Rules) -> Latest:
    """What the register must hold: the key of the newest bar, the closing tick of the newest usable one.

    A price that begins elsewhere in another publication counts in the keys of all the bars in which it ever began.
    """
    bounds = bounds_of(rules.intervals[0], rules.zone)
    identities = replay(one.publications, rules.unusable)
    newest = max(bounds(publication.start)[0] for publication in one.publications)
    members = {each.identity for each in one.publications if bounds(each.start)[0] == newest}
    seen = sum(parser for each, parser in zip(one.publications, one.parsers, strict=True) if each.identity in members)
    usable = [each for each in identities if not each.current.flags & rules.unusable]
    closing = max(usable, key=lambda i: _closing_order(i.current), default=None)
    return Latest(newest, seen, None if closing is None else _shown(one, closing))


def _closing_order(tick: Publication) -> tuple[int, int, str, int]:
    return tick.start, tick.source_rank, tick.event_id, tick.ts


def _shown(one: Series, closing: Identity) -> Shown:
    revision = len(closing.effective) - 1
    return Shown(one.tenant, one.instrument, one.market, one.product, closing.current, revision)


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
    values = {name: None if tick[name] is None else int(Decimal(tick[name]).scaleb(9)) for name in VALUES}
    publication = publication_of(tuple((tick | values)[name] for name in ROW))
    who = (tick["tenant"], tick["instrument"], tick["market"], tick["product"])
    return Latest(start, ver & _COUNTED, Shown(*who, publication, tick["revision"]))


def registered(redis: Redis) -> set[tuple[str, str]]:
    """(tenant, instrument) of everything in the register."""
    keys = [key.decode() for key in redis.scan_iter("latest:*", _type="HASH")]
    return {
        (key.removeprefix("latest:"), name.decode()) for key in keys for name in cast("list[bytes]", redis.hkeys(key))
    }


def differences(one: Series, rules: Rules, found: Latest | None) -> Iterator[Difference]:
    """How the register's price differs from what it must be."""
    wanted = expected(one, rules)
    if found == wanted:
        return
    went_back = found is not None and found[:2] < wanted[:2]
    note = " (it went back, or was never written)" if found is None or went_back else ""
    yield Difference("I6", f"latest price of {one.name}", str(wanted), f"{found}{note}")
