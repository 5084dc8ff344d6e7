"""Snapshots of forward curves: a pure function of the publications of their contracts and the trading calendar.

What was known at an instant is the same function of what was known by then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from pipeline.curves import inputs, known, points
from pipeline.curves.contracts import nearby
from pipeline.curves.definitions import Calendar, Curve
from pipeline.curves.inputs import BEYOND, UNNAMED, sessions_of
from pipeline.curves.sessions import Sessions
from pipeline.schema import INSTANT, Schema, shaped

# One row a snapshot.
HEADS: Final[Schema] = {
    "session": pl.Date(),  # the trading day
    "at": INSTANT,  # the close of the session, or the newest price of its own, whichever is first
    "first_known": INSTANT,  # when it first was one
    "known_at": INSTANT,  # when its newest change became known
    "version": pl.UInt32(),  # how many changes there were before
    "partial": pl.Boolean(),  # the front contract is missing, or a delivery between others
    "seen": pl.UInt64(),  # a measure of the publications that it was made of (`pipeline.curves.known.seen`)
}


@dataclass(frozen=True, slots=True)
class Built:
    """`heads`: HEADS in order of session; `points`: `pipeline.curves.points.POINTS`; `inputs`: the quote that each
    contract shows (`pipeline.curves.inputs.QUOTES`), with `session` (Date) and `age`; `versions`: of each session
    (Date) every `version` and the position of the message that made it."""

    heads: pl.DataFrame
    points: pl.DataFrame
    inputs: pl.DataFrame
    versions: pl.DataFrame


def build(
    curve: Curve, publications: pl.DataFrame, calendar: Calendar, sessions: Collection[date] | None = None
) -> Built:
    """The snapshots that publications (`pipeline.schema.SEEN`, of the curve's market and product, of one tenant) make;
    of these sessions alone, where they are given, of which the publications of `max_age` sessions before are needed.
    """
    trading = sessions_of(curve, calendar)
    quotes = inputs.quotes(curve, publications, calendar)
    found = known.candidates(quotes, curve.max_age, _numbers(trading, sessions))
    days = trading.days(found["session"])
    living = known.alive(found, days)
    shown = known.shown(found.filter(pl.col("contract").is_not_null() & living))
    kept = _dated(trading, known.current(shown))
    versions = _dated(trading, known.versions(shown))
    dead = _dated(trading, found.filter(~living, effective=True, own=pl.col("session")))
    every = _points(curve, kept, dead)
    heads = _heads(curve, calendar, kept, versions, every, _dated(trading, known.seen(found)))
    return Built(heads, every, kept, versions)


def _numbers(trading: Sessions, sessions: Collection[date] | None) -> list[int] | None:
    if sessions is None:
        return None
    return trading.numbers(pl.Series(sorted(sessions), dtype=pl.Date)).drop_nulls().to_list()


def _dated(trading: Sessions, rows: pl.DataFrame) -> pl.DataFrame:
    """With the session's day instead of its ordinal, and the `age` where there is `own`."""
    aged = rows.with_columns(age=pl.col("session") - pl.col("own")) if "own" in rows.columns else rows
    return aged.with_columns(trading.days(rows["session"]).alias("session"))


def _points(curve: Curve, kept: pl.DataFrame, dead: pl.DataFrame) -> pl.DataFrame:
    why = (
        pl.when(pl.col("last_trade").is_not_null()).then(pl.format("ceased to trade on {}", "last_trade"))
        .when(pl.col("contract").is_not_null()).then(pl.lit("its delivery has begun"))
        .when(pl.col("code").str.contains("[0-9]{2}$")).then(pl.lit(BEYOND))
        .otherwise(pl.lit(UNNAMED))
    )  # fmt: skip
    last = dead.unique(["session", "code"], keep="last", maintain_order=True).with_columns(reason=why)
    begun = last.join(kept.select("session").unique(), on="session", how="semi")
    both = pl.concat([points.points(curve, kept), points.refused(curve, begun)])
    return both.sort("session", "role", "start", "end", maintain_order=True)


def _heads(
    curve: Curve,
    calendar: Calendar,
    kept: pl.DataFrame,
    versions: pl.DataFrame,
    every: pl.DataFrame,
    seen: pl.DataFrame,
) -> pl.DataFrame:
    own = kept.filter(pl.col("age") == 0)
    newest = own.group_by("session").agg(pl.col("instant").max())
    close = sessions_of(curve, calendar).closes(newest["session"])
    at = newest.with_columns(at=pl.min_horizontal("instant", pl.lit(close)))
    last = versions.group_by("session").agg(
        pl.col("version").max(), pl.col("known_at").last(), first_known=pl.col("known_at").first()
    )
    rows = at.join(last, on="session").join(seen, on="session").join(_partial(curve, calendar, every), on="session")
    return shaped(rows.sort("session"), HEADS, {name: name for name in HEADS})


def _partial(curve: Curve, calendar: Calendar, every: pl.DataFrame) -> pl.DataFrame:
    """`session` and `partial`: a gap between pieces, or the first one after the front contract of the day."""
    pieces = every.filter(pl.col("role") == "point")
    gap = pl.col("start") != pl.col("end").shift(1)
    told = pieces.group_by("session", maintain_order=True).agg(gap=gap.any(), first=pl.col("start").first())
    fronts = nearby(told.select(day="session").with_columns(position=pl.lit(1, pl.Int64)), calendar.of(curve))
    front = fronts.select(points.midnight("delivery_start", curve.zone)).to_series()
    late = (pl.col("first") > pl.lit(front)).fill_null(value=False)
    return told.select("session", partial=pl.col("gap").fill_null(value=False) | late)
