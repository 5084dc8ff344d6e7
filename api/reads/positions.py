"""Where a page ended, as it stands in a cursor: plain values, instants as microseconds since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar, cast

import polars as pl

from api.reads.ports import Page
from db.clickhouse import reads
from db.clickhouse.known_changes import BarChange, TickChange
from service import clock

_INSTANTS: Final = frozenset({"start", "ts", "known_at", "updated_at"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Position = TypeVar("_Position", reads.TickPosition, reads.HistoryPosition, reads.BarPosition, TickChange, BarChange)


def read_position(kind: type[_Position], after: object | None) -> _Position | None:
    """The position that a cursor holds."""
    if after is None:
        return None
    given: dict[str, Any] = dict(zip(kind._fields, cast("list[Any]", after), strict=True))
    for name in _INSTANTS & given.keys():
        given[name] = instant(given[name])
    return kind(**given)


def page(rows: pl.DataFrame, limit: int, order: tuple[str, ...]) -> Page:
    """A page of rows that were read one more than it may hold."""
    if rows.height <= limit:
        return Page(rows, None)
    last = rows.row(limit - 1, named=True)
    return Page(rows.head(limit), plain({name: last[name] for name in order}))


def plain(position: dict[str, Any]) -> list[Any]:
    """The values of a position by their names."""
    return [clock.to_us(value) if name in _INSTANTS else value for name, value in position.items()]


def instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
