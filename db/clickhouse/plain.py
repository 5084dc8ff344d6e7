"""Many ticks at once: their publications as they are stored, to be replayed by `pipeline.publications`.

Where nearly every price has one publication, as it mostly is, this takes the engine a tenth of what a replay takes it.
It needs all publications of a price to begin at the same instant: not so of products `by_end`.
"""

from datetime import datetime
from typing import Final

import polars as pl

from db.clickhouse import current
from db.clickhouse.bounds import RANGE, WHO, Range, Scope, TickPosition, after_row, onwards
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import BUCKETS, TICK_TYPES
from pipeline.schema import SEEN

_COLUMNS: Final = ", ".join(f"`{name}`" for name in SEEN)
_ORDER: Final = ", ".join(TickPosition._fields)


def read_publications(
    scope: Scope, span: Range, after: TickPosition | None = None, known: datetime | None = None
) -> Query:
    """Every stored publication (`pipeline.schema.SEEN`), ordered as `TickPosition`: those of a price together."""
    position, more = after_row(TickPosition._fields, TICK_TYPES, after)
    where = current.known_by(f"{WHO} AND {BUCKETS} AND {RANGE} {position}", bounded=known is not None)
    sql = f"SELECT {_COLUMNS} {current.stored(where)} ORDER BY {_ORDER} LIMIT {{limit:UInt64}}"
    given = {} if known is None else {"known": instant(known)}
    return Query(sql, scope.parameters | onwards(span, after).parameters | more | given)


def whole_prices(publications: pl.DataFrame, limit: int) -> pl.DataFrame:
    """The rows without the last price, where that may have more publications than the `limit` let through."""
    if publications.height < limit:
        return publications
    last = publications.row(-1, named=True)
    return publications.filter(~pl.all_horizontal(pl.col(name) == last[name] for name in TickPosition._fields))
