"""What became known in [since, until), in the order in which it did: what fills a gap of the live stream."""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from db.clickhouse.bounds import after_row
from db.clickhouse.current import effective
from db.clickhouse.latest import SHOWN
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import COLUMNS
from db.clickhouse.shown import finished, shown_bars
from pipeline.flags import UNUSABLE

_INSTANT: Final = "DateTime64(6, 'UTC')"
_TYPES: Final = (_INSTANT, "String", "Int32", "Int64", "Int32", "String", _INSTANT)
_BAR_TYPES: Final = (_INSTANT, "String", _INSTANT, "String", "String")
_SPAN: Final = f"{{column}} >= {{{{since:{_INSTANT}}}}} AND {{column}} < {{{{until:{_INSTANT}}}}}"
_KNOWN: Final = _SPAN.format(column="known_at")
_UPDATED: Final = _SPAN.format(column="updated_at")
_IDENTITY: Final = "tenant, bucket, instrument, ts"


class TickChange(NamedTuple):
    """Where a page of ticks ended."""

    known_at: datetime
    topic_id: str
    partition: int
    offset: int
    row: int
    instrument: str
    ts: datetime


class BarChange(NamedTuple):
    """Where a page of bars ended."""

    updated_at: datetime
    interval: str
    start: datetime
    instrument: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Whose:
    """Pairs (tenant, instrument), or all of series (tenant, market, product) but the hidden instruments. `first`:
    public prices before it are not to be seen, nor what is derived from them (`derived`: how their names begin)."""

    tenants: Sequence[str]
    pairs: Sequence[tuple[str, str]] | None
    series: Sequence[tuple[str, str, str]] = ()
    hidden: Sequence[str] = ()
    first: datetime | None = None
    public: str = ""
    derived: str = ""


class Known(NamedTuple):
    """Known in [since, until), at most so many rows."""

    since: datetime
    until: datetime
    limit: int

    @property
    def parameters(self) -> dict[str, object]:
        return {"since": instant(self.since), "until": instant(self.until), "limit": self.limit}


def changed_ticks(whose: Whose, span: Known, after: TickChange | None) -> Query:
    """The publications that changed a price, ordered as `TickChange`: `TICKS` and `revision`."""
    who, given = _who(whose)
    touched = f"SELECT {_IDENTITY} FROM ticks WHERE {who} AND {_KNOWN}"
    position, more = after_row(TickChange._fields, _TYPES, after)
    sql = f"""
        SELECT {COLUMNS}, corrections AS revision
        FROM ({effective(f"{who} AND ({_IDENTITY}) IN ({touched})", SHOWN)})
        WHERE {_KNOWN} {_recent(whose)} {position} ORDER BY {_order(TickChange._fields)} LIMIT {{limit:UInt64}}"""
    return Query(sql, given | span.parameters | more | {"unusable": UNUSABLE})


def changed_bars(whose: Whose, intervals: Sequence[str], span: Known, after: BarChange | None) -> Query:
    """The bars that a price has changed, as they are now, ordered as `BarChange`: the columns of `read_bars`; those
    that lost their last price, too."""
    who, given = _who(whose)
    touched = f"SELECT tenant, instrument FROM ticks WHERE {who} AND {_KNOWN}"
    position, more = after_row(BarChange._fields, _BAR_TYPES, after)
    where = f"""`interval` IN {{intervals:Array(String)}} AND tenant IN {{tenants:Array(String)}}
        AND (tenant, instrument) IN ({touched}) AND {_UPDATED} {_recent(whose)} {position}"""
    sql = f"{shown_bars(where)} ORDER BY {_order(BarChange._fields)} LIMIT {{limit:UInt64}}"
    return Query(sql, given | span.parameters | more | {"intervals": list(intervals)}, finished)


def _order(columns: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def _who(whose: Whose) -> tuple[str, dict[str, object]]:
    """A condition on `ticks`, and the parameters of everything that is asked of these."""
    given: dict[str, object] = {"tenants": list(whose.tenants)}
    if whose.first is not None:
        given |= {"first": instant(whose.first), "public": whose.public, "derived": whose.derived}
    if whose.pairs is not None:
        given |= {"instruments": sorted({name for _, name in whose.pairs}), "pairs": _joined(whose.pairs)}
        return (
            """tenant IN {tenants:Array(String)} AND instrument IN {instruments:Array(String)}
            AND concat(tenant, '/', instrument) IN {pairs:Array(String)}""",
            given,
        )
    given |= {"series": _joined(whose.series), "hidden": list(whose.hidden)}
    return (
        """tenant IN {tenants:Array(String)} AND concat(tenant, '/', market, '/', product) IN {series:Array(String)}
            AND instrument NOT IN {hidden:Array(String)}""",
        given,
    )


def _joined(every: Sequence[Sequence[str]]) -> list[str]:
    """A tenant has no slash in its name, a market and a product neither."""
    return ["/".join(each) for each in every]


def _recent(whose: Whose) -> str:
    if whose.first is None:
        return ""
    own = "tenant != {public:String} AND NOT startsWith(instrument, {derived:String})"
    return f"AND (start >= {{first:{_INSTANT}}} OR ({own}))"
