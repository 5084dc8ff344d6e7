"""Every version of the snapshots of a curve of contracts, session by session."""

from asyncio import to_thread
from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from api.curves import meant as curves
from api.curves import room as curve_room
from api.curves.meant import Futures, Snapshots
from api.curves.query import MOST_POINTS, MOST_SNAPSHOTS
from api.curves.room import Asked, Found
from api.problems import Problem, invalid
from api.reads.ports import Reads
from pipeline.curves.inputs import MESSAGE
from pipeline.curves.snapshot import Built, build


class _Room:
    """What an answer still holds."""

    def __init__(self, granularity: str) -> None:
        self._granularity = granularity
        self._snapshots = MOST_SNAPSHOTS
        self._points = MOST_POINTS

    def require(self, session: date, versions: int) -> None:
        """422 where so many versions do not fit."""
        if versions > self._snapshots:
            held = f"{session} has {versions} versions, of which at most {MOST_SNAPSHOTS} are shown at once."
            raise invalid("versions", f"{held} Ask for one with as_of.")
        self._snapshots -= versions

    def take(self, session: date, points: pl.DataFrame) -> None:
        """422 where these points do not fit."""
        self._points -= curve_room.size(points, self._granularity)
        if self._points < 0:
            raise curve_room.versions_too_large(session, self._granularity)


async def over(reads: Reads, one: Futures, days: Sequence[date], asked: Asked) -> Found:
    """Every version of the sessions, of as many whole ones as an answer holds; 422 where not even the first one
    fits."""
    made: list[Snapshots] = []
    room = _Room(asked.granularity)
    for place, day in enumerate(days):
        publications = await curves.publications_of(reads, one, [day], asked.known)
        try:
            made += await to_thread(_fitting, one, publications, day, room)
        except Problem:
            if not made:
                raise
            return Found(made, [one.tenant, str(days[place - 1])])
    return Found(made, None)


def _fitting(one: Futures, publications: pl.DataFrame, session: date, room: _Room) -> list[Snapshots]:
    built = build(one.curve, publications, one.calendar, [session])
    room.require(session, built.versions.height)
    made: list[Snapshots] = []
    for each in _every(one, publications, session, built):
        room.take(session, each.points)
        made.append(each)
    return made


def _every(one: Futures, publications: pl.DataFrame, session: date, built: Built) -> Iterator[Snapshots]:
    """Each version of a session's snapshot, oldest first."""
    places = publications.select(MESSAGE).unique().sort(MESSAGE).with_row_index("place")
    known = publications.join(places, on=MESSAGE, maintain_order="left")
    for place in built.versions.join(places, on=MESSAGE, maintain_order="left")["place"]:
        then = known.filter(pl.col("place") <= place).drop("place")
        yield curves.shown(one, build(one.curve, then, one.calendar, [session]))
