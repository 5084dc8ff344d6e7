"""A page of snapshots: what is asked for, and how much of it one answer holds. What goes beyond comes with the next."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import polars as pl

from api.curves.meant import Snapshots
from api.curves.query import MOST_POINTS
from api.problems import Problem, invalid

NATIVE: Final = "native"


class Asked(NamedTuple):
    """Sessions [first, beyond)."""

    first: date
    beyond: date
    known: datetime | None
    versions: bool
    granularity: str
    limit: int


class Found(NamedTuple):
    """Some snapshots (one a session in each part), and the position to go on from."""

    parts: Sequence[Snapshots]
    following: list[str] | None


def fitting(found: Snapshots, granularity: str) -> Snapshots:
    """Of the snapshots, one a session, the first ones that an answer holds; 422 where not even the first one fits."""
    places = found.heads.join(_sizes(found.points, granularity), on="session", how="left", maintain_order="left")
    fit = places.select((pl.col("size").fill_null(0).cum_sum() <= MOST_POINTS).sum()).item()
    if fit == found.heads.height:
        return found
    if fit == 0:
        raise _too_large(f"the snapshot of {places['session'][0]} has {places['size'][0]}", granularity)
    return of(found, found.heads.head(fit))


def of(found: Snapshots, heads: pl.DataFrame) -> Snapshots:
    """Of the snapshots those of these heads."""
    return Snapshots(heads, found.points.join(heads, on="session", how="semi", maintain_order="left"))


def size(points: pl.DataFrame, granularity: str) -> int:
    """How many points are made of these, refused inputs included."""
    return points.select(_weight(granularity).sum()).item()


def versions_too_large(session: date, granularity: str) -> Problem:
    """422 for a session whose versions together no answer holds."""
    return _too_large(f"the versions of {session} have more than {MOST_POINTS}", granularity, " or one with as_of")


def _too_large(what: str, granularity: str, otherwise: str = "") -> Problem:
    if granularity == NATIVE:
        return invalid("versions", f"{what} points, which no answer holds. Ask for one with as_of.")
    made = f"{granularity} is made of days: {what}, and an answer holds {MOST_POINTS}."
    return invalid("granularity", f"{made} Ask for granularity=native{otherwise}, or leave the session out.")


def _sizes(points: pl.DataFrame, granularity: str) -> pl.DataFrame:
    return points.group_by("session").agg(_weight(granularity).sum().alias("size"))


def _weight(granularity: str) -> pl.Expr:
    """How many points follow from one: other ones than native are made of its days, however few are shown."""
    if granularity == NATIVE:
        return pl.col("role").is_not_null().cast(pl.Int64)
    days = (pl.col("end") - pl.col("start")).dt.total_hours().add(12) // 24  # a day may lack an hour
    return pl.when(pl.col("role") == "point").then(days).otherwise(1).clip(1).cast(pl.Int64)
