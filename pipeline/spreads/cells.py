"""Which intervals of which spreads a batch touches: worked out from the buckets of their legs."""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from pipeline import calendar
from pipeline.schema import INSTANT, PUBLIC, Schema, conform, empty
from pipeline.spreads.calendars import Calendars, flow_dates, gas_day_begins, is_trade_day
from pipeline.spreads.plan import LEGS, Plan

# One row an interval of a spread: `number` is the place of its definition, `day` the local day that holds `start`.
CELLS: Final[Schema] = {"number": pl.UInt32(), "start": INSTANT, "end": INSTANT, "day": pl.Date()}
_LAST: Final = pl.col("end") - pl.duration(microseconds=1)
_NEARBY: Final = r"^([a-z][a-z0-9_]*\.futures\.[A-Z]+)\d\d$"


def cells(plan: Plan, touched: pl.DataFrame) -> pl.DataFrame:
    """`CELLS` whose values may follow from prices in the touched buckets (`pipeline.bars.TOUCHED`)."""
    hits = _hits(plan, touched)
    if hits.is_empty():
        return empty(CELLS)
    found = [
        _IN[align](part, plan.calendars) if interval == "1h" else _days(part)
        for (align, interval, _), part in hits.partition_by("align", "interval", "zone", as_dict=True).items()
    ]
    return _valid(plan, pl.concat([part.select("number", "zone", "start", "end") for part in found]).unique())


def _hits(plan: Plan, touched: pl.DataFrame) -> pl.DataFrame:
    """Touched buckets, each with the legs whose prices it holds."""
    buckets = touched.select("tenant", "instrument", "start", "end")
    named = plan.legs.filter(pl.col("instrument").is_not_null()).join(buckets, on="instrument")
    contracts = plan.legs.filter(pl.col("prefix").is_not_null())
    places = buckets.with_columns(prefix=pl.col("instrument").str.extract(_NEARBY)).drop("instrument")
    by_contract = contracts.join(places, on="prefix")
    together = pl.concat([each.select(*LEGS, "tenant", "start", "end") for each in (named, by_contract)])
    return together.filter((pl.col("tenant") == pl.col("owner")) | (pl.col("tenant") == PUBLIC))


def _hours(rows: pl.DataFrame) -> pl.DataFrame:
    first = pl.col("start").dt.truncate("1h")
    starts = rows.with_columns(start=pl.datetime_ranges(first, _LAST, interval="1h")).explode("start")
    return starts.with_columns(end=pl.col("start").dt.offset_by("1h"))


def _days(rows: pl.DataFrame) -> pl.DataFrame:
    return calendar.local_days(rows, "zone").with_columns(start="day_start", end="day_end")


def _flows(rows: pl.DataFrame, calendars: Calendars) -> pl.DataFrame:
    """A row a flow date (`flow`) of the touched trade days."""
    traded = rows.with_columns(day=pl.date_ranges(pl.col("start").dt.date(), _LAST.dt.date())).explode("day")
    traded = traded.filter(is_trade_day(pl.col("day"), calendars))
    first, last = flow_dates(pl.col("day"), calendars)
    return traded.with_columns(flow=pl.date_ranges(first, last)).explode("flow").drop("day")


def _of_flow_days(rows: pl.DataFrame, calendars: Calendars) -> pl.DataFrame:
    """The hours of the local days on which the gas flows."""
    zone = str(rows["zone"][0])
    begins = pl.col("flow").cast(pl.Datetime("us")).dt.offset_by("12h").dt.replace_time_zone(zone)
    noon = _flows(rows, calendars).with_columns(start=begins.dt.convert_time_zone("UTC"))
    return _hours(_days(noon.with_columns(end=pl.col("start").dt.offset_by("1s"))))


def _of_gas_days(rows: pl.DataFrame, calendars: Calendars) -> pl.DataFrame:
    """The hours of the gas days on which the gas flows."""
    flow = pl.col("flow")
    start, end = gas_day_begins(flow), gas_day_begins(flow.dt.offset_by("1d"))
    return _hours(_flows(rows, calendars).with_columns(start=start, end=end))


def _valid(plan: Plan, found: pl.DataFrame) -> pl.DataFrame:
    """With the local day, where the definition holds on it."""
    days = [
        part.with_columns(day=pl.col("start").dt.convert_time_zone(str(zone)).dt.date())
        for (zone,), part in found.partition_by("zone", as_dict=True).items()
    ]
    dated = pl.concat(days) if days else found.with_columns(day=pl.lit(None, pl.Date()))
    bounds = plan.legs.select("number", "valid_from", "valid_to").unique()
    held = dated.join(bounds, on="number")
    since = (pl.col("valid_from") <= pl.col("day")).fill_null(value=True)
    until = (pl.col("day") < pl.col("valid_to")).fill_null(value=True)
    return conform(held.filter(since & until).select(*CELLS), CELLS)


_IN: Final[Mapping[object, Callable[[pl.DataFrame, Calendars], pl.DataFrame]]] = {
    "interval": lambda rows, _: _hours(rows),
    "mean": lambda rows, _: _hours(rows),
    "flow_day": _of_flow_days,
    "gas_day": _of_gas_days,
}
