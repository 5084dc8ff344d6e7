"""What a replay reads: which prices became known in a span of known time, their ticks, and bars by their names.

No index is on `known_at`: the first of these reads looks at all publications of its instruments, so it is asked for
many instants at once. What it finds, the others read by the primary key.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse.bounds import WHO, Scope
from db.clickhouse.current import effective, known_by, stored
from db.clickhouse.latest import SHOWN
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import COLUMNS
from db.clickhouse.rollup import PERIODS, by_interval, floor
from db.clickhouse.shown import finished, shown_bars
from pipeline.flags import UNUSABLE
from pipeline.schema import INSTANT, Schema

# The instant of a price, and when a publication of it became known.
BECAME: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "ts": INSTANT,
    "start": INSTANT,
    "known_at": INSTANT,
}
KEYS_AT_ONCE: Final = 1000  # their names travel with the statement
_AFTER: Final = "known_at > {after:DateTime64(6, 'UTC')}"
_PRICES: Final = "arrayZip({whose:Array(String)}, {names:Array(String)}, {stamps:Array(DateTime64(6, 'UTC'))})"
_BUCKETS: Final = f"arrayJoin([{floor('price.3', '10')}, {floor('price.3', '86400')}])"
_BARS: Final = (
    "arrayZip({whose:Array(String)}, {intervals:Array(String)}, {names:Array(String)}, "
    "{starts:Array(DateTime64(6, 'UTC'))})"
)
_WIDTH: Final = by_interval("bar.2", PERIODS)


class Known(NamedTuple):
    """What became known in (after, until]."""

    after: datetime
    until: datetime

    @property
    def parameters(self) -> dict[str, object]:
        return {"after": instant(self.after), "known": instant(self.until)}


class Whose(NamedTuple):
    """Instruments of these tenants: named ones, or (`names` None) all of a market, or of one product of it."""

    tenants: Sequence[str]
    names: Sequence[str] | None
    market: str = ""
    product: str = ""


def became_known(whose: Whose, span: Known, limit: int) -> Query:
    """BECAME, each once, in known order: `limit` rows, and all others of the last one's instant."""
    who, given = _who(whose)
    sql = f"""
        SELECT DISTINCT {", ".join(BECAME)} {stored(known_by(f"{who} AND {_AFTER}"))}
        ORDER BY known_at LIMIT {{limit:UInt64}} WITH TIES"""
    return Query(sql, given | span.parameters | {"limit": limit})


def ticks_known(prices: pl.DataFrame, span: Known) -> Query:
    """The effective publications of prices (`tenant, instrument, ts`, `KEYS_AT_ONCE` at most) that became known in the
    span, in known order: `TICKS` and `revision`."""
    which = f"""tenant IN {{tenants:Array(String)}} AND (tenant, bucket, instrument, ts) IN (
        SELECT price.1, {_BUCKETS}, price.2, price.3 FROM (SELECT arrayJoin({_PRICES}) AS price))"""
    sql = f"""
        SELECT {COLUMNS}, corrections AS revision FROM ({effective(known_by(which), SHOWN)}) WHERE {_AFTER}
        ORDER BY known_at, topic_id, partition, `offset`, `row`, instrument, ts"""
    named = _named(prices) | {"stamps": [instant(each) for each in prices["ts"]]}
    return Query(sql, named | span.parameters | {"unusable": UNUSABLE})


def bars_at(bars: pl.DataFrame) -> Query:
    """The stored bars of these names (`tenant, instrument, interval, start`, `KEYS_AT_ONCE` at most), those without a
    price too: the columns of `read_bars`."""
    which = f"""tenant IN {{tenants:Array(String)}} AND (tenant, `interval`, period, instrument, start) IN (
        SELECT bar.1, bar.2, {floor("bar.4", _WIDTH)}, bar.3, bar.4 FROM (SELECT arrayJoin({_BARS}) AS bar))"""
    starts = [instant(each) for each in bars["start"]]
    given = _named(bars) | {"intervals": bars["interval"].to_list(), "starts": starts}
    return Query(shown_bars(which), given, finished)


def _who(whose: Whose) -> tuple[str, dict[str, object]]:
    """The condition on whose publications are read, and its parameters."""
    if whose.names is not None:
        return WHO, Scope(whose.tenants, whose.names).parameters
    of = "tenant IN {tenants:Array(String)} AND market = {market:String}"
    given: dict[str, object] = {"tenants": list(whose.tenants), "market": whose.market}
    if not whose.product:
        return of, given
    return f"{of} AND product = {{product:String}}", given | {"product": whose.product}


def _named(keys: pl.DataFrame) -> dict[str, object]:
    """Whose rows they are, as the tenants that may be read and one by one."""
    tenants = keys["tenant"].to_list()
    return {"tenants": sorted({*tenants}), "whose": tenants, "names": keys["instrument"].to_list()}
