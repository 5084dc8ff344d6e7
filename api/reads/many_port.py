"""What long answers need from the stores."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import polars as pl

from db.clickhouse.counts import Counting

if TYPE_CHECKING:
    from api.reads.ports import Page, Window


class Many(Protocol):
    """The part of `api.reads.ports.Reads` that reads many rows, counts them, and tells whether they have changed."""

    async def many_ticks(
        self, tenants: Sequence[str], names: Sequence[str], window: "Window", known: datetime | None
    ) -> "Page":
        """As `ticks`, cheaper where there are many; not of products `by_end`. A page that goes on may hold fewer."""
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
        """The same as before only if no bar that begins in [start, end) was added, replaced or removed since."""
        ...
