"""The frames that travel between stages, and the one function that holds a frame to its contract.

Fixed point: a price or volume has at most 9 decimals and stays below 10^9 in size, so that it fits a 64-bit
`Decimal(18, 9)` exactly. Instants are microseconds in UTC, between `EARLIEST` and `LATEST`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Final

import polars as pl

from pipeline.errors import DataProcessingError

SCALE: Final = 9
DIGITS: Final = 18
LIMIT: Final = 10 ** (DIGITS - SCALE)  # what can be held stays below it in size
PRICE: Final = pl.Decimal(DIGITS, SCALE)
INSTANT: Final = pl.Datetime("us", "UTC")
PUBLIC: Final = "public"  # the tenant of what everybody may read
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

_BOUNDS: Final = (pl.lit(EARLIEST, dtype=INSTANT), pl.lit(LATEST, dtype=INSTANT))

Schema = Mapping[str, pl.DataType]

# One row a publication: a value for an identity, from one row of one message.
# Identity: tenant, instrument, ts, source_rank, event_id. Order of its publications: version, known_at,
# topic_id, partition, offset, row.
TICKS: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "market": pl.String(),
    "product": pl.String(),
    "location": pl.String(),  # null for a generic tick
    "location_type": pl.String(),  # null where the market gives none
    "ts": INSTANT,  # the instant that the exchange publishes
    "source_rank": pl.UInt8(),  # 0 exchange document, 1 generic tick
    "event_id": pl.String(),  # "" for documents; a generic tick's own id, else its position
    "start": INSTANT,  # delivery interval [start, end)
    "end": INSTANT,  # null where it is open
    "hold_end": INSTANT,  # until when the price holds in averages; null: it does not hold (generic tick)
    "price": PRICE,  # never null
    "energy": PRICE,
    "congestion": PRICE,
    "loss": PRICE,
    "ghg": PRICE,
    "volume": PRICE,
    "bid": PRICE,
    "ask": PRICE,
    "flags": pl.UInt32(),  # pipeline.flags
    "version": pl.Int64(),  # the exchange's own version or grade, 0 where there is none
    "source": pl.String(),  # envelope.source: lineage, not identity
    "known_at": INSTANT,
    "topic_id": pl.String(),
    "partition": pl.Int32(),
    "offset": pl.Int64(),
    "row": pl.Int32(),  # 1-based data row of the document (of the row that holds the price); 0 for a generic tick
}

# A publication as it is stored: which reader of documents read it, the newer one stands.
SEEN: Final[Schema] = {**TICKS, "parser_version": pl.UInt16()}

# What normalization hands on: the ticks, and beside them what registers their instruments.
NORMALIZED: Final[Schema] = {
    **TICKS,
    "location_name": pl.String(),  # null where it is the location itself
}

# What is known of an instrument. `complete`: none of market, product, unit, currency, zone is null.
REFERENCE: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "market": pl.String(),
    "product": pl.String(),
    "location": pl.String(),
    "location_type": pl.String(),
    "name": pl.String(),  # the location's newest name, where it has one beside its id
    "unit": pl.String(),
    "currency": pl.String(),
    "zone": pl.String(),
    "complete": pl.Boolean(),
    "first_seen": INSTANT,
}

# One row a refusal. `whole`: the message itself is refused (a dead letter); else one row of its document.
REJECTS: Final[Schema] = {
    "topic_id": pl.String(),
    "partition": pl.Int32(),
    "offset": pl.Int64(),
    "row": pl.Int32(),
    "whole": pl.Boolean(),
    "field": pl.String(),
    "value": pl.String(),  # at most 200 characters of what was there
    "reason": pl.String(),
}


def empty(schema: Schema) -> pl.DataFrame:
    """A frame of no rows in the given contract."""
    return pl.DataFrame(schema=dict(schema))


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The columns of `schema`, in its order and types; absent ones are null.

    Raises `DataProcessingError` for a column that the contract does not know or a value that its type cannot hold.
    """
    if [*frame.schema.items()] == [*schema.items()]:
        return frame
    unknown = set(frame.columns) - set(schema)
    if unknown:
        raise DataProcessingError(f"columns outside the contract: {sorted(unknown)}", "normalize")
    columns = [
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype, strict=True).alias(name)
        for name, dtype in schema.items()
    ]
    return frame.select(columns)


def within_bounds(instant: pl.Expr) -> pl.Expr:
    """Boolean: the instant can be held."""
    return instant.is_between(*_BOUNDS, closed="left")


def shaped(rows: pl.DataFrame, schema: Schema, columns: Mapping[str, pl.Expr | str]) -> pl.DataFrame:
    """The frame of `schema` whose columns are these of `rows`; absent ones are null.

    Raises `polars.exceptions.PolarsError` for a value that its type cannot hold.
    """
    assert columns.keys() <= schema.keys()
    return rows.select(_typed(name, columns.get(name), dtype) for name, dtype in schema.items())


def _typed(name: str, column: pl.Expr | str | None, dtype: pl.DataType) -> pl.Expr:
    return column.cast(dtype).alias(name) if isinstance(column, pl.Expr) else _plain(name, column, dtype)


@cache
def _plain(name: str, column: str | None, dtype: pl.DataType) -> pl.Expr:
    """A column as it is, or none. Made once: of a small document's time a good part goes into expressions."""
    of = pl.lit(None) if column is None else pl.col(column)
    return of.cast(dtype).alias(name)
