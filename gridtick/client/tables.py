"""Lists of rows that are data frames too."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from gridtick.client.arrow import async_columns, columns
from gridtick.client.errors import GridtickError
from gridtick.client.listed import AsyncRows, Rows, RowT
from gridtick.client.optional import needed

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Table(Rows[RowT]):
    """Rows, or the same as columns: each `to_…` asks the API anew, for Arrow, and keeps every digit: amounts are
    decimals of 9 places, instants `timestamp[us, UTC]`, flags lists of text.

    Raises `NotInstalled` where the package is not there.
    """

    @property
    def is_long(self) -> bool:
        """Whether all rows come in one answer: ticks and bars do, others in pages."""
        return self._listing.is_long

    def to_batches(self) -> "pa.RecordBatchReader":
        """Record batches as they arrive, so that any number of rows takes little memory."""
        pyarrow = needed("pyarrow", "arrow")
        found = columns(self._api, self._listing, self.learn)
        schema = next(found, None)
        if schema is None:
            raise _nothing()
        return pyarrow.RecordBatchReader.from_batches(schema, found)

    def to_arrow(self) -> "pa.Table":
        return self.to_batches().read_all()

    def to_polars(self) -> "pl.DataFrame":
        return polars_of(self.to_arrow())

    def to_pandas(self) -> "pd.DataFrame":
        """With columns that Arrow holds (`pandas.ArrowDtype`): sums of decimals are exact and fast there."""
        return pandas_of(self.to_arrow())


class AsyncTable(AsyncRows[RowT]):
    """The same, awaited: `await client.bars(…).to_polars()`."""

    async def to_batches(self) -> "AsyncIterator[pa.RecordBatch]":
        """Record batches as they arrive: `async for batch in rows.to_batches()`."""
        async with aclosing(cast("Any", async_columns(self._api, self._listing, self.learn))) as found:
            await anext(found, None)
            async for batch in found:
                yield batch

    async def to_arrow(self) -> "pa.Table":
        pyarrow = needed("pyarrow", "arrow")
        found = [each async for each in async_columns(self._api, self._listing, self.learn)]
        if not found:
            raise _nothing()
        return pyarrow.Table.from_batches(found[1:], schema=found[0])

    async def to_polars(self) -> "pl.DataFrame":
        return polars_of(await self.to_arrow())

    async def to_pandas(self) -> "pd.DataFrame":
        """With columns that Arrow holds (`pandas.ArrowDtype`): sums of decimals are exact and fast there."""
        return pandas_of(await self.to_arrow())


def polars_of(table: "pa.Table") -> "pl.DataFrame":
    return needed("polars", "polars").from_arrow(table)


def pandas_of(table: "pa.Table") -> "pd.DataFrame":
    return table.to_pandas(types_mapper=needed("pandas", "pandas").ArrowDtype)


def _nothing() -> GridtickError:
    return GridtickError("A limit of 0 asks for nothing, and so there are no columns either.")
