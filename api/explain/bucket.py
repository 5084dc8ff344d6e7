"""The bar that is asked about: an interval that is made for the instrument, and a start where one begins."""

from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from api import shapes
from api.coverage import Instrument
from api.explain.publications import Bucket
from api.problems import invalid
from db.clickhouse.rollup import FINER
from pipeline import calendar, expected
from pipeline.bars import INTERVALS
from pipeline.schema import INSTANT

_INSTANT: Final = timedelta(microseconds=1)


def bucket(one: Instrument, interval: str, start: datetime) -> Bucket:
    """The bar that begins at an instant; 422 where none does, and for an interval that is too fine."""
    finest = shapes.finest_bar(one.row["market"], one.row["product"])
    if shapes.is_finer(interval, finest):
        raise invalid("interval", f"{one.name} has no bars finer than {finest}.")
    found = holding(interval, start, one.zone)
    if found.start != start:
        zone = one.zone if interval == "1d" else "UTC"
        raise invalid(
            "start", f"is no start of a {interval} bar in {zone}. The one that holds it starts at {_text(found.start)}."
        )
    return found


def next_finer(one: Instrument, interval: str) -> str | None:
    """The next finer interval, whose bars a bar holds; None where it is the finest."""
    return None if interval == shapes.finest_bar(one.row["market"], one.row["product"]) else FINER[interval]


def holding(interval: str, at: datetime, zone: str) -> Bucket:
    """The bar that holds an instant; `1d` is the day of the zone."""
    seconds = INTERVALS[interval].seconds
    if seconds is not None:
        length = timedelta(seconds=seconds)
        start = expected.floor(at, length)
        return Bucket(interval, start, start + length)
    moment = pl.DataFrame({"start": [at], "end": [at + _INSTANT], "zone": [zone]})
    day = calendar.local_days(moment.cast({"start": INSTANT, "end": INSTANT}), "zone").row(0, named=True)
    return Bucket(interval, day["day_start"], day["day_end"])


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
