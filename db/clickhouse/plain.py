"""Many ticks at once: their publications as they are stored, to be replayed by `pipeline.publications`.

Where nearly every price has one publication, as it mostly is, this takes the engine a tenth of what a replay takes it.
It needs all publications of a price to begin at the same instant: not so of products `by_end`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import polars as pl

from db.clickhouse import current
from db.clickhouse.bounds import RANGE, WHO, Range, Scope, TickPosition, after_row, onwards
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import BUCKETS, TICK_TYPES
from pipeline.schema import SEEN

BATCH: Final = 12_500
_LOOKED: Final = 32  # rows
_COLUMNS: Final = ", ".join(f"`{name}`" for name in SEEN)
_ORDER: Final = ", ".join(TickPosition._fields)


def read_publications(
    scope: Scope, span: Range, after: TickPosition | None = None, known: datetime | None = None
) -> Query:
    """Every stored publication (`pipeline.schema.SEEN`), ordered as `TickPosition`: those of a price together, and
    `BATCH` rows at a time."""
    position, more = after_row(TickPosition._fields, TICK_TYPES, after)
    where = current.known_by(f"{WHO} AND {BUCKETS} AND {RANGE} {position}", bounded=known is not None)
    sql = f"""SELECT {_COLUMNS} {current.stored(where)} ORDER BY {_ORDER} LIMIT {{limit:UInt64}}
        SETTINGS max_block_size = {BATCH}"""
    given = {} if known is None else {"known": instant(known)}
    return Query(sql, scope.parameters | onwards(span, after).parameters | more | given)


class WholePrices:
    """What `read_publications` has read, a part at a time, those of one price in one part.

    Once it was gone through, `goes_on` is the last row that was given where more may follow than the `limit` let
    through, else None; `is_stuck`: it is all of one price, which may have more publications than that.
    """

    def __init__(self, batches: Iterable[pl.DataFrame], limit: int) -> None:
        self._batches = batches
        self._limit = limit
        self.goes_on: dict[str, Any] | None = None
        self.is_stuck = False

    def __iter__(self) -> Iterator[pl.DataFrame]:
        read, held, last = 0, None, None
        for batch in self._batches:
            if batch.is_empty():
                continue
            read += batch.height
            whole, held = _split(batch if held is None else pl.concat([held, batch]))
            if whole.height:
                last = whole.row(-1, named=True)
                yield whole
        if read < self._limit:
            if held is not None:
                yield held
            return
        self.goes_on, self.is_stuck = last, last is None


def _split(publications: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without those of the last price, and these."""
    is_last = pl.all_horizontal(pl.col(name) == pl.col(name).last() for name in TickPosition._fields)
    looked = of_last = 0
    while of_last == looked < publications.height:  # mostly it is one row: seldom all need be looked at
        looked = min(max(_LOOKED, 8 * looked), publications.height)
        of_last = publications.tail(looked).select(is_last.sum()).item()
    return publications.head(publications.height - of_last), publications.tail(of_last)
