"""What the live stream reads: the newest bars, bars that lack prices, and the ticks of offsets that have landed."""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from db.clickhouse.bounds import HIGH, LOW, WHO, Scope
from db.clickhouse.current import effective
from db.clickhouse.latest import SHOWN
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import COLUMNS
from db.clickhouse.rollup import FINER, LONGEST_S, PERIODS, by_interval, floor
from db.clickhouse.shown import finished, shown_bars
from pipeline.flags import UNUSABLE


class Range(NamedTuple):
    """Offsets [first, next) of a partition."""

    topic_id: str
    partition: int
    first: int
    next: int


class Span(NamedTuple):
    """Ranges, and between which instants their ticks lie, both included."""

    ranges: Sequence[Range]
    low: datetime
    high: datetime


def newest_bars(scope: Scope, intervals: Sequence[str]) -> Query:
    """Of each instrument and interval the bar with a price that has the newest start: the columns of `read_bars`."""
    newest = f"""
        SELECT tenant, instrument, argMax(last_start, start) AS at FROM bars FINAL
        WHERE {WHO} AND `interval` = '1d' AND count > 0 GROUP BY tenant, instrument"""
    width = by_interval("`interval`", PERIODS)
    keys = f"""SELECT tenant, arrayJoin({{intervals:Array(String)}}) AS `interval`, instrument, at FROM ({newest})"""
    where = f"""count > 0 AND {WHO} AND `interval` IN {{intervals:Array(String)}}
        AND (tenant, `interval`, period, instrument) IN (
            SELECT tenant, `interval`, arrayJoin([{floor("at", width)}, {floor(f"at - {LONGEST_S}", width)}]),
                instrument
            FROM ({keys}))"""
    found = shown_bars(where)
    sql = f"SELECT * FROM ({found}) ORDER BY start DESC LIMIT 1 BY tenant, instrument, `interval`"
    return Query(sql, scope.parameters | {"intervals": [each for each in intervals if each in FINER]}, finished)


def ticks_at(tenants: Sequence[str], instruments: Sequence[str] | None, span: Span) -> Query:
    """The effective publications of offsets, in order: `TICKS` and `revision`; of these instruments, or of all."""
    who, given = _who(tenants, instruments)
    within = f"{who} AND ts >= {LOW} AND ts <= {HIGH} AND bucket <= {HIGH} AND bucket >= toStartOfDay({LOW})"
    sql = f"""
        SELECT {COLUMNS}, corrections AS revision FROM ({effective(within, SHOWN)})
        WHERE arrayExists((t, p, f, n) -> topic_id = t AND `partition` = p AND offset >= f AND offset < n,
            {{topics:Array(String)}}, {{partitions:Array(Int32)}}, {{firsts:Array(Int64)}}, {{nexts:Array(Int64)}})
        ORDER BY topic_id, `partition`, offset, `row`, instrument, ts"""
    columns = ("topics", "partitions", "firsts", "nexts")
    ranges: dict[str, object] = {name: [each[at] for each in span.ranges] for at, name in enumerate(columns)}
    bounds = {"low": instant(span.low), "high": instant(span.high), "unusable": UNUSABLE}
    return Query(sql, given | ranges | bounds)


def unfinished(
    tenants: Sequence[str], instruments: Sequence[str] | None, interval: str, start: datetime, expected: int
) -> Query:
    """`tenant, instrument` of bars that begin at an instant and hold fewer prices than are expected; of these
    instruments, or of all."""
    who, given = _who(tenants, instruments)
    sql = f"""
        SELECT tenant, instrument FROM bars FINAL WHERE {who} AND `interval` = {{interval:String}}
            AND period = {floor("{at:DateTime64(6, 'UTC')}", str(PERIODS[interval]))}
            AND start = {{at:DateTime64(6, 'UTC')}} AND count > 0 AND count < {{expected:UInt32}}
        ORDER BY instrument, tenant"""
    return Query(sql, given | {"interval": interval, "at": instant(start), "expected": expected})


def _who(tenants: Sequence[str], instruments: Sequence[str] | None) -> tuple[str, dict[str, object]]:
    """The condition on whose rows are read, of which instruments, and its parameters."""
    if instruments is None:
        return "tenant IN {tenants:Array(String)}", {"tenants": list(tenants)}
    return WHO, Scope(tenants, instruments).parameters
