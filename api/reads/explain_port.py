"""What the route that explains a bar needs from the stores: a part of `api.reads.ports.Reads`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

import polars as pl

from db.clickhouse.explain import Publications


class Explains(Protocol):
    """Reads of one instrument of one tenant."""

    async def stored_bar(
        self, tenant: str, name: str, interval: str, start: datetime, end: datetime
    ) -> tuple[pl.DataFrame, int | None]:
        """The bar that begins in [start, end) as `Reads.bars` gives it, and the number of the rules that made it; no
        row and None where there is none."""
        ...

    async def bar_publications(
        self, tenant: str, name: str, start: datetime, end: datetime, known: datetime | None, most: int
    ) -> Publications:
        """Every publication of the prices that begin in [start, end), or once did, of all or of those known by then; of
        more than `most` those of the first prices."""
        ...

    async def topics_of(self, topic_ids: Collection[str]) -> Mapping[str, str]:
        """The names of topics by their ids, as far as the ledger has them."""
        ...
