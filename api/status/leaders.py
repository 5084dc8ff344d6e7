"""Which instruments stand for a market and product: those with the newest prices, looked for once a minute.

All instruments of a document come together, so that a few tell of the newest interval as soon as it is there; of single
prices the newest ones of the last minute do. To ask all of them costs a read of every instrument's day.
"""

from asyncio import to_thread
from collections.abc import Callable
from typing import Final

import polars as pl

from api.reads.ports import Reads
from db.reference.snapshot import INSTRUMENTS
from pipeline.schema import PUBLIC
from service import clock

LOOK_S: Final = 60.0
CHANGED_S: Final = 10.0  # where there are other instruments than at the last look
EACH: Final = 8  # instruments of a market and product
_PRODUCT: Final = ("market", "product")


class Leaders:
    """Of the public tenant."""

    def __init__(self, reads: Reads, monotonic: Callable[[], float]) -> None:
        self._reads = reads
        self._monotonic = monotonic
        self._looked = float("-inf")
        self._version = -1
        self._found = pl.DataFrame()

    async def find(self) -> pl.DataFrame:
        """Their rows of the reference (`pipeline.schema.REFERENCE`)."""
        snapshot = await self._reads.snapshot()
        stands = LOOK_S if snapshot.version == self._version else CHANGED_S
        if self._monotonic() - self._looked >= stands:
            began, lately = self._monotonic(), await self._reads.active(PUBLIC, clock.now())
            self._found = await to_thread(leaders, snapshot.tables[INSTRUMENTS], lately)
            self._version, self._looked = snapshot.version, began
        return self._found


def leaders(instruments: pl.DataFrame, lately: pl.DataFrame) -> pl.DataFrame:
    """Of each market and product the public instruments with the newest prices, the first ones by name where they have
    none lately. `lately`: `instrument, newest`."""
    public = instruments.filter(tenant=PUBLIC)
    told = public.join(lately, on="instrument", how="left")
    ordered = told.sort(pl.col("newest"), "instrument", descending=[True, False], nulls_last=True)
    return ordered.group_by(_PRODUCT, maintain_order=True).head(EACH).sort("instrument").select(public.columns)
