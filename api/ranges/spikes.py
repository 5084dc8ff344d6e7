"""`VOLUME_SPIKE` of the ticks of an answer, by the volumes of the days before."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

import polars as pl

from api.ranges import slices
from api.reads.ports import Names, Reads, Window
from api.values import MAX_LIMIT
from pipeline import spikes

_DAY: Final = timedelta(days=1)


class Spikes:
    """Keeps the days that it read last: the slices of a long answer mostly lie within one."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._span: Window | None = None
        self._days = pl.DataFrame()

    async def flagged(self, reads: Reads, tenants: Names, rows: pl.DataFrame) -> pl.DataFrame:
        """The ticks of now with `VOLUME_SPIKE`."""
        if rows["volume"].null_count() == rows.height:
            return rows
        first, last = rows["start"].min(), rows["start"].max()
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        names = sorted(rows["instrument"].unique())
        span = Window(_midnight(first) - spikes.LOOK_BACK - _DAY, _midnight(last) + 2 * _DAY, None, MAX_LIMIT)
        if self._span != span or not set(names) <= set(self._names):
            self._days = await slices.whole(partial(reads.bars, tenants, names, "1d"), span)
            self._names, self._span = names, span
        return spikes.flagged(rows, self._days)


def _midnight(at: datetime) -> datetime:
    """Of UTC."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
