"""What long answers need from the stores."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import polars as pl

from db.clickhouse.counts import Counting

if TYPE_CHECKING:
    from api.reads.ports import Window


class Many(Protocol):
    """The part of `api.reads.ports.Reads` that reads many rows, counts them, and tells whether they have changed."""

    def many_ticks(
        self, tenants: Sequence[str], names: Sequence[str], parts: Iterator["Window"], known: datetime | None
    ) -> AsyncGenerator[pl.DataFrame]:
        """As the rows of `ticks`, of ranges that follow each other; cheaper where there are many. Not of products
        `by_end`. A frame without rows where there are none."""
        ...

    async def count_publications(self, what: Counting, known: datetime | None) -> pl.DataFrame:
        """`db.clickhouse.counts.COUNTED` of the publications: at least as many as there are prices."""
        ...

    async def count_prices(self, what: Counting, known: datetime | None) -> int:
        """How many prices there are."""
        ...

    async def count_bars(self, what: Counting, interval: str) -> pl.DataFrame:
        """`db.clickhouse.counts.COUNTED` of the bars as they are now."""
        ...

    async def stand_of_bars(self, start: datetime, end: datetime) -> object:
        """The same as before only if no bar that begins in [start, end) was added, replaced or removed since; None
        where that cannot be told: where nothing is stored, or not on the server that is asked."""
        ...
