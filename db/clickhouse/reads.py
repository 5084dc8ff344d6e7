"""What the API and the command line read: each function makes a `Query`, for `client.fetch` or `client.fetch_async`.

Every read takes the tenants whose rows may be seen; the rows of all of them are shown. Ranges are [start, end).
Pages go on after the last row of the page before: pass its order columns as `after`. With `known` the prices are those
that were known at that instant.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from db.clickhouse import current
from db.clickhouse.bounds import (
    BAR_ORDER,
    HIGH,
    LOW,
    RANGE,
    WHO,
    BarPosition,
    HistoryPosition,
    Range,
    Scope,
    TickPosition,
    after_row,
    onwards,
)
from db.clickhouse.latest import SHOWN
from db.clickhouse.query import Query, instant
from db.clickhouse.rollup import FINER, PERIODS, SECONDS, STAMP_MARGIN_S, floor, steps
from db.clickhouse.shown import few_bars, finished, shown_bars
from pipeline.errors import DataProcessingError
from pipeline.flags import UNUSABLE
from pipeline.schema import TICKS

ALL: Final = Query("1", {})
# Stream ticks lie in the buckets of the range itself, documents in those of its days.
BUCKETS: Final = f"""
    ts >= {LOW} - {STAMP_MARGIN_S} AND ts < {HIGH} + {STAMP_MARGIN_S}
    AND bucket < {HIGH} + {STAMP_MARGIN_S} AND (bucket >= {LOW} - {STAMP_MARGIN_S + 10}
        OR bucket = toStartOfDay({LOW} - {STAMP_MARGIN_S}) OR bucket = toStartOfDay({LOW}))"""
COLUMNS: Final = ", ".join(f"`{name}`" for name in TICKS)
# Of the columns of `TickPosition`.
TICK_TYPES: Final = ("DateTime64(6, 'UTC')", "String", "String", "UInt8", "String", "DateTime64(6, 'UTC')")
# No price holds longer than its interval of an hour (SCED: 30 minutes); a day is room for others.
_LONGEST_INTERVAL: Final = timedelta(days=1)
_DAY_S: Final = 86_400
_FEW: Final = 10_000  # bars that are sorted faster than `FINAL` merges the places they lie in
_STAMP_MARGIN: Final = timedelta(seconds=STAMP_MARGIN_S)


def read_ticks(scope: Scope, span: Range, after: TickPosition | None = None, known: datetime | None = None) -> Query:
    """The current price of every identity, usable or not: `TICKS` and `revision`, ordered as `TickPosition`."""
    return _read(identities, scope, span, known, TickPosition._fields, TICK_TYPES, after)


def read_history(
    scope: Scope, span: Range, after: HistoryPosition | None = None, known: datetime | None = None
) -> Query:
    """Every effective publication of every identity, one row each: `TICKS` and `revision`, as `HistoryPosition`."""
    types = (*TICK_TYPES, "UInt64")
    return _read(_publications, scope, span, known, HistoryPosition._fields, types, after)


def in_force(scope: Scope, at: datetime, known: datetime | None = None) -> Query:
    """The usable price of each instrument whose interval holds at an instant (`TICKS` and `revision`).

    Prices without an end (generic ticks) are never in force here: see `newest_until`.
    """
    rows = identities(_known(f"{WHO} AND {BUCKETS}", known))
    sql = f"""{rows} WHERE {current.usable()} AND start <= {{at:DateTime64(6, 'UTC')}}
        AND coalesce(`end`, hold_end) > {{at:DateTime64(6, 'UTC')}}
        ORDER BY {current.CLOSING} DESC LIMIT 1 BY tenant, instrument"""
    span = {"low": instant(at - _LONGEST_INTERVAL), "high": instant(at + _STAMP_MARGIN)}
    return Query(sql, scope.parameters | span | {"at": instant(at)} | _replay(known))


def read_bars(scope: Scope, interval: str, span: Range, after: BarPosition | None = None, only: Query = ALL) -> Query:
    """Bars that hold at least one price, and whose start meets the condition `only`, ordered as `BarPosition`.

    Columns: tenant, instrument, interval, start, end, open, high, low, close, volume, count, flags, revision,
    updated_at, ver, vwap (null without volume), twap (null where no price holds), covered_seconds.
    Raises `DataProcessingError` for an interval that is not served, the internal `10s` included.
    """
    position, more = after_row(BarPosition._fields, BAR_ORDER, after)
    span = onwards(span, after)
    if interval not in FINER:
        raise DataProcessingError(f"interval {interval!r} is not one of {', '.join(FINER)}", "api")
    keys = f"""{WHO} AND `interval` = {{interval:String}} AND {RANGE} AND {only.sql}
        AND period >= {floor(LOW, str(PERIODS[interval]))} AND period < {HIGH} {position}"""
    bars = few_bars(keys) if _most(scope, interval, span) <= _FEW else shown_bars(f"{keys} AND count > 0")
    sql = f"{bars} ORDER BY start, instrument, tenant LIMIT {{limit:UInt64}}"
    given = scope.parameters | span.parameters | more | dict(only.parameters) | {"interval": interval}
    return Query(sql, given, finished)


def _most(scope: Scope, interval: str, span: Range) -> float:
    """How many bars there can be of one tenant; of days, about."""
    length = timedelta(seconds=SECONDS.get(interval, _DAY_S))
    return len(scope.instruments) * ((span.end - span.start) / length)


def newest(scope: Scope) -> Query:
    """The price with the newest start of each instrument, advisory ones apart (`TICKS` and `revision`)."""
    closing = f"""
        SELECT tenant, instrument, argMax(last_ts, start) AS at
        FROM bars FINAL WHERE {WHO} AND `interval` = '1d' AND count > 0 GROUP BY tenant, instrument"""
    rows = identities(f"""(tenant, bucket, instrument, ts) IN (
        SELECT tenant, arrayJoin([{floor("at", "10")}, {floor("at", "86400")}]), instrument, at FROM ({closing}))""")
    sql = f"""{rows} WHERE {current.usable()} ORDER BY {current.CLOSING} DESC LIMIT 1 BY tenant, instrument"""
    return Query(sql, scope.parameters | {"unusable": UNUSABLE})


def newest_until(scope: Scope, at: datetime) -> Query:
    """The usable price with the newest start up to an instant of each instrument of a stream (`TICKS` and `revision`).

    The newest bar whose first price is not beyond the instant holds it: first the day, then the minute.
    """
    day = f"""
        SELECT tenant, instrument, max(start) AS since, argMax(`end`, bars.start) AS until FROM bars FINAL
        WHERE {WHO} AND `interval` = '1d' AND {_BEGUN} GROUP BY tenant, instrument"""
    width = PERIODS["1m"]
    minute = f"""
        SELECT tenant, instrument, max(start) AS since FROM bars FINAL
        WHERE {WHO} AND `interval` = '1m' AND {_BEGUN} AND (tenant, period, instrument) IN (
            SELECT tenant, {steps(floor("since", str(width)), "until", str(width))}, instrument FROM ({day}))
        GROUP BY tenant, instrument"""
    rows = identities(f"""(tenant, bucket, instrument) IN (
        SELECT tenant, {steps("since", "since + 60", "10")}, instrument FROM ({minute}))""")
    sql = f"""{rows} WHERE {current.usable()} AND start <= {{at:DateTime64(6, 'UTC')}}
        ORDER BY {current.CLOSING} DESC LIMIT 1 BY tenant, instrument"""
    return Query(sql, scope.parameters | {"at": instant(at), "unusable": UNUSABLE})


_BEGUN: Final = "count > 0 AND first_start <= {at:DateTime64(6, 'UTC')}"


def _read(
    rows: Callable[[str], str],
    scope: Scope,
    span: Range,
    known: datetime | None,
    order: Sequence[str],
    types: Sequence[str],
    after: TickPosition | HistoryPosition | None,
) -> Query:
    """A page of rows in an order; `types` are those of its columns."""
    position, more = after_row(order, types, after)
    names = ", ".join(f"`{name}`" for name in order)
    found = f"SELECT * FROM ({rows(_known(f'{WHO} AND {BUCKETS}', known))})"
    sql = f"""{found} WHERE {RANGE} {position} ORDER BY {names} LIMIT {{limit:UInt64}}"""
    return Query(sql, scope.parameters | onwards(span, after).parameters | more | _replay(known))


def _known(where: str, known: datetime | None) -> str:
    return current.known_by(where, bounded=known is not None)


def _replay(known: datetime | None) -> dict[str, object]:
    """The parameters of a replay."""
    given: dict[str, object] = {"unusable": UNUSABLE}
    return given if known is None else given | {"known": instant(known)}


def identities(where: str) -> str:
    """`SELECT … FROM …` of every identity's current publication."""
    return f"SELECT {COLUMNS}, corrections AS revision FROM ({current.replayed(where, SHOWN)})"


def _publications(where: str) -> str:
    """`SELECT … FROM …` of every effective publication."""
    return f"SELECT {COLUMNS}, corrections AS revision FROM ({current.effective(where, SHOWN)})"
