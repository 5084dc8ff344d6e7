"""Lists as columns: Parquet, and Arrow IPC streams. Amounts are decimals of their stored scale, instants UTC.

What is written leaves with each call: no writer holds more than the rows of one call.
"""

import io
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

_LEVEL: Final = 1  # of Zstandard: the cheapest


class _Sink(io.RawIOBase):
    """A file that is only written, and taken away as it grows."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


class Parquet:
    """Each call writes one row group; the schema is that of the first. A file without its last bytes is none."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._writer: pq.ParquetWriter | None = None

    def write(self, rows: pl.DataFrame) -> bytes:
        table = _table(rows)
        if self._writer is None:
            self._writer = _parquet_writer(self._sink, table.schema)
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)
        return self._sink.take()

    def finish(self) -> bytes:
        assert self._writer is not None, "a list has a schema, rows or not"
        self._writer.close()
        return self._sink.take()


class Arrow:
    """Each call writes one record batch; the schema is that of the first. Many readers take a stream without its end
    for a whole one: that it was cut off, the connection alone tells."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

    def write(self, rows: pl.DataFrame) -> bytes:
        table = _table(rows)
        if self._writer is None:
            options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", _LEVEL))
            self._writer = pa.ipc.new_stream(_file(self._sink), table.schema, options=options)
        if table.num_rows:
            self._writer.write_table(table)
        return self._sink.take()

    def finish(self) -> bytes:
        assert self._writer is not None, "a list has a schema, rows or not"
        self._writer.close()
        return self._sink.take()


def _file(sink: _Sink) -> pa.NativeFile:
    return pa.PythonFile(sink, mode="w")


def _table(rows: pl.DataFrame) -> pa.Table:
    return rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())


def _parquet_writer(sink: _Sink, schema: pa.Schema) -> pq.ParquetWriter:
    """Text that repeats as codes, instants as differences; amounts of up to 18 digits as 64-bit numbers."""
    instants = {field.name: "DELTA_BINARY_PACKED" for field in schema if pa.types.is_timestamp(field.type)}
    texts = [field.name for field in schema if pa.types.is_large_string(field.type)]
    return pq.ParquetWriter(
        _file(sink),
        schema,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=texts,  # pyright: ignore[reportArgumentType]  the stubs know only yes and no
        column_encoding=instants,
        store_decimal_as_integer=True,
        write_statistics=list(instants),
    )
