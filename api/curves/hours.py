"""Day-ahead curves: the hours of local days, read from the ticks."""

from asyncio import to_thread
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from api.coverage import Instrument
from api.curves.meant import Snapshots
from api.problems import invalid
from api.reads.ports import Reads, Window
from api.values import FIRST_DAY
from pipeline.curves.day_ahead import KIND, day_ahead, span
from service import clock

_DAY: Final = timedelta(days=1)
_LOOK_BACK: Final = timedelta(days=6)  # a day lacks where its document has not come
_WIDEST: Final = timedelta(days=1_000)  # whose publications are read at once
_MOST: Final = 100_000  # publications of the days that are asked for


async def days(reads: Reads, one: Instrument, first: date, beyond: date, known: datetime | None) -> Snapshots:
    """The curves of the delivery days [first, beyond) that have a price."""
    start, end = span(first, beyond, one.zone)
    window = Window(start, end, None, _MOST)
    page = await reads.revisions([one.tenant], [one.name], window, known)
    if page.following is not None:
        raise invalid("start", f"these days have more than {_MOST} publications. Ask for fewer.")
    rows = page.rows.drop("revision", strict=False)
    heads, points = await to_thread(day_ahead, rows, one.zone, one.product.due)
    whose = {"tenant": pl.lit(one.tenant), "curve": pl.lit(one.name)}
    return Snapshots(
        heads.with_columns(**whose, unit=pl.lit(one.row["unit"], dtype=pl.String)), points.with_columns(**whose)
    )


async def newest(reads: Reads, one: Instrument, at: datetime | None, known: datetime | None) -> Snapshots:
    """The curve of the newest delivery day, of those that were due at an instant; empty where there is none."""
    who = [one.tenant], [one.name]
    asked = reads.latest(*who, "newest", clock.now()) if known is None else reads.known_latest(*who, "newest", known)
    found = (await asked)["start"]
    if found.is_empty():
        return await days(reads, one, FIRST_DAY, FIRST_DAY, known)
    day = (
        _day(found[0], one.zone) if at is None else min(_day(found[0], one.zone), _day(at - one.product.due, one.zone))
    )
    made = await _last(reads, one, day + _DAY, known)
    last = made.heads.tail(1)
    return Snapshots(last, made.points.join(last, on="session", how="semi", maintain_order="left"))


async def _last(reads: Reads, one: Instrument, beyond: date, known: datetime | None) -> Snapshots:
    """The curves of the days before one, back to the first that has a price: mostly there is one in the first part."""
    width = _LOOK_BACK
    while True:
        first = max(beyond - width, FIRST_DAY)
        made = await days(reads, one, first, beyond, known)
        if made.heads.height or first == FIRST_DAY:
            return made
        beyond, width = first, min(4 * width, _WIDEST)


def _day(at: datetime, zone: str) -> date:
    return pl.Series([at]).dt.convert_time_zone(zone).dt.date().item()


async def inputs(reads: Reads, one: Instrument, day: date, known: datetime | None) -> pl.DataFrame:
    """The publication that stands for each hour of a delivery day."""
    start, end = span(day, day + _DAY, one.zone)
    page = await reads.ticks([one.tenant], [one.name], Window(start, end, None, _MOST), known)
    lineage = ("known_at", "topic_id", "partition", "offset", "row")
    return page.rows.sort("start").select(
        pl.col("location").alias("contract"), "instrument", "price", pl.lit(KIND).alias("kind"),
        pl.lit(0).alias("age"), pl.col("start").alias("instant"), *lineage,
    )  # fmt: skip
