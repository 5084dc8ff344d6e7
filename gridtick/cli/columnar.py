"""Rows that come as Arrow, written as they arrive: memory holds the rows of one row group, however many there are."""

import csv
import io
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from gridtick.cli.columns import RowType
from gridtick.cli.output import Encoded, Format
from gridtick.cli.parquet import schema_of
from pipeline.shown import iso, plain

_GROUP: Final = 100_000  # rows of a row group, about


def parquet(batches: pa.RecordBatchReader, kind: RowType, also: Collection[str], out: BinaryIO) -> int:
    """Writes a Parquet file; how many rows it has. Where it cannot be whole it gets no end, and so is none."""
    schema, sink, rows = schema_of(kind, also), _Sink(out), 0
    columns = _table(pl.DataFrame(schema=schema)).schema
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), columns, compression="zstd") as to, sink.whole():
        for frame in _groups(_frames(batches, schema)):
            to.write_table(_table(frame), row_group_size=frame.height)
            rows += frame.height
    return rows


def comma_separated(batches: pa.RecordBatchReader, kind: RowType, also: Collection[str], out: BinaryIO) -> int:
    """Writes a header and a line a row, with the text that the other formats of text have; how many rows there are."""
    schema, rows = schema_of(kind, also), 0
    line = csv.writer(Encoded(out), lineterminator="\n")
    line.writerow(schema)
    for frame in _frames(batches, schema):
        line.writerows(frame.select(_cell(name, dtype) for name, dtype in schema.items()).iter_rows())
        rows += frame.height
    return rows


WRITERS: Final[Mapping[Format, Callable[[pa.RecordBatchReader, RowType, Collection[str], BinaryIO], int]]] = {
    Format.parquet: parquet,
    Format.csv: comma_separated,
}


def _frames(batches: Iterable[pa.RecordBatch], schema: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """The columns of the row type, in its order and with its types: what an answer lacks is absent."""
    for batch in batches:
        frame = cast("pl.DataFrame", pl.from_arrow(batch))
        yield frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in schema.items()
        )


def _groups(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in frames of `_GROUP` rows or more, but for the last one."""
    waiting: list[pl.DataFrame] = []
    for frame in frames:
        waiting.append(frame)
        if sum(each.height for each in waiting) >= _GROUP:
            yield pl.concat(waiting)
            waiting = []
    if waiting:
        yield pl.concat(waiting)


def _table(frame: pl.DataFrame) -> pa.Table:
    return frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())


def _cell(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Decimal):
        return plain(column)
    if isinstance(dtype, pl.Datetime):
        return iso(column)
    return column.list.join("|") if isinstance(dtype, pl.List) else column.cast(pl.String)


class _Sink(io.RawIOBase):
    """Where a file goes, until it cannot be whole: a writer that is let go would end it as if it were."""

    def __init__(self, out: BinaryIO) -> None:
        self._out: BinaryIO | None = out

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        return len(piece) if self._out is None else self._out.write(piece)

    @contextmanager
    def whole(self) -> Generator[None]:
        """What fails inside leaves a file without its end."""
        try:
            yield
        except BaseException:
            self._out = None
            raise
