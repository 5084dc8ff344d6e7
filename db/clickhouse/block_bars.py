"""Bars of a block of hours (`pipeline.blocks`): the stored hours that lie in it, and days folded from those alone.

A day is a local one of the block's zone, or of any other. Its averages are those of a bar that consists of the block's
hours: exact, of the hours' own integrals, and a price that holds beyond the last hour before a gap counts up to that
hour's end. The block `atc` of another zone gives whole days of it.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse.bounds import BAR_ORDER, LOW, RANGE, WHO, BarPosition, Range, Scope, after_row, onwards
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import read_bars
from db.clickhouse.rollup import COLUMNS, PERIODS, floor, micros
from db.clickhouse.rollup_bars import FOLD
from db.clickhouse.shown import finished, shown_bars
from pipeline import blocks, holidays, products, zone_days
from pipeline.blocks import ATC, Block

_DAY: Final = timedelta(hours=25)
_EPOCH: Final = date(1970, 1, 1)
_HOURS_OF_DAYS: Final = 8 * 24  # of `blocks.mask`
STORED: Final = "bars FINAL"


class Cut(NamedTuple):
    """The hours of a block in a market. Of days: those of the zone `days` (needed for `atc`), else of the block's,
    folded from bars of the interval `parts`."""

    block: Block
    market: str
    days: str | None = None
    parts: str = "1h"


def condition(cut: Cut, start: datetime, end: datetime) -> Query:
    """A condition: the hour that begins at `start`, an instant in [start, end), lies in the block."""
    return Query(_inside("start"), _parameters(cut, start, end))


def graces(reference: pl.DataFrame) -> dict[str, timedelta]:
    """Of each instrument (`instrument, market, product`) how long after a bar's end a new price is no revision."""
    rows = reference.select("instrument", "market", "product").unique()
    return {name: products.product(market, product).grace for name, market, product in rows.iter_rows()}


def _inside(at: str) -> str:
    """A condition: the hour that holds this instant lies in the block."""
    free = f"has({{free:Array(UInt16)}}, toUInt16(toDate({at}, {{zone:String}})))"
    day = f"if({free}, 0, toDayOfWeek({at}, 0, {{zone:String}}))"
    return f"{{mask:Array(Bool)}}[{day} * 24 + toHour({at}, {{zone:String}}) + 1]"


def hour_bars(scope: Scope, span: Range, cut: Cut, after: BarPosition | None = None) -> Query:
    """As `reads.read_bars`: the bars of hours that lie in the block."""
    return read_bars(scope, "1h", span, after, condition(cut, span.start, span.end))


def day_bars(
    scope: Scope,
    graces: Mapping[str, timedelta],
    span: Range,
    cut: Cut,
    after: BarPosition | None = None,
    hours: str = STORED,
) -> Query:
    """As `reads.read_bars`: bars of days, folded from the hours of the block (its `parts`), which are the stored ones
    or those in another table of their columns. `graces`: of the instruments, how long after a bar's end a price is no
    revision."""
    position, more = after_row(BarPosition._fields, BAR_ORDER, after)
    around = onwards(span, after)
    given = {"names": list(graces), "graces": [each // timedelta(seconds=1) for each in graces.values()]}
    sql = f"""{shown_bars(f"count > 0 AND {RANGE} {position}", f"({_days(hours, PERIODS[cut.parts])})")}
        ORDER BY start, instrument, tenant LIMIT {{limit:UInt64}}"""
    inside = _parameters(cut, around.start, span.end) | _day_parameters(cut, around.start, span.end)
    return Query(sql, scope.parameters | around.parameters | inside | given | more, finished)


def _days(hours: str, period: int) -> str:
    """`SELECT … FROM …` of the days, with the columns that `shown_bars` reads."""
    late = "arrayFilter(t -> t.1 > `end` + grace_s, arrayZip(late, late_counts))"
    return f"""
        SELECT tenant, instrument, '1d' AS `interval`, start, `end`, opened AS open, highest AS high, lowest AS low,
            closed AS close, if(with_volume > 0, reinterpret(quantities, 'Decimal128(9)'), NULL) AS volume,
            price_volume AS pv, last_at AS last_start, closing_hold AS last_hold_us, head AS integral_head,
            head_us AS covered_head_us, used AS count, all_flags AS flags, corrected AS corrections,
            later AS late_sure, arrayMap(t -> t.2, {late}) AS late_n, changed AS updated_at, seen AS ver
        FROM ({FOLD}, p.opens AS start, p.closes AS `end`
            FROM ({_hours(hours, period)}) AS p
            INNER JOIN (SELECT t.1 AS instrument, t.2 AS grace_s FROM (SELECT arrayJoin(
                arrayZip({{names:Array(String)}}, {{graces:Array(UInt32)}})) AS t)) AS k ON p.instrument = k.instrument
            GROUP BY tenant, instrument, start, `end`, grace_s)"""


def _hours(hours: str, period: int) -> str:
    """`SELECT … FROM …` of the block's hours with the borders of their days; a hold ends where the block does."""
    held = f"greatest(0, least(last_hold_us, {micros('`end`')} - {micros('last_start')}))"
    width, since = "{widths:Array(UInt32)}[run]", "{runs:Array(UInt32)}[run]"
    return f"""
        SELECT * REPLACE (if({_inside("`end`")}, last_hold_us, {held}) AS last_hold_us),
            arrayLastIndex(t -> t <= toUnixTimestamp(start), {{runs:Array(UInt32)}}) AS run,
            toDateTime64({since} + intDiv(toUnixTimestamp(start) - {since}, {width}) * {width}, 6, 'UTC') AS opens,
            opens + toIntervalSecond({width}) AS closes
        FROM (SELECT {COLUMNS} FROM {hours}
            WHERE {WHO} AND `interval` = {{parts:String}} AND start >= {LOW} AND start < {{until:DateTime64(6, 'UTC')}}
                AND period >= {floor(LOW, str(period))} AND period < {{until:DateTime64(6, 'UTC')}})
        WHERE {_inside("start")}"""


def _parameters(cut: Cut, start: datetime, end: datetime) -> dict[str, object]:
    if cut.block == ATC:
        return {"zone": "UTC", "mask": [True] * _HOURS_OF_DAYS, "free": []}
    of = blocks.hours_of(cut.block, cut.market)
    years = (each.astimezone(UTC).year for each in (start - _DAY, end + _DAY))
    free = holidays.between(of.holidays, *years) if of.holidays else frozenset[date]()
    days = [(each - _EPOCH).days for each in sorted(free)]
    return {"zone": of.zone, "mask": blocks.mask(cut.block, of), "free": [each for each in days if each >= 0]}


def _day_parameters(cut: Cut, start: datetime, end: datetime) -> dict[str, object]:
    """The borders of days are worked out here: of zones whose clock changes at midnight the engine gives others, and
    of what was decided lately it may not know."""
    days = zone_days.runs(cut.days or blocks.zone_of(cut.block, cut.market), start, end + _DAY)
    return {"runs": days.starts, "widths": days.widths, "parts": cut.parts, "until": instant(end + _DAY)}
