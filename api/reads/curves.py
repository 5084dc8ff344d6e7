"""The reads of curves over the real stores."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

import polars as pl
from clickhouse_connect.driver.asyncclient import AsyncClient

from api.reads.away import Watch
from db.clickhouse import curves
from db.clickhouse.curves import Inputs, Stored
from db.clickhouse.frames import fetch_async
from db.clickhouse.query import Query
from pipeline.schema import SEEN, conform


class CurveReads:
    """That part of `api.reads.ports.Reads`."""

    def __init__(self, clickhouse: AsyncClient, watch: Watch) -> None:
        self._clickhouse = clickhouse
        self._watch = watch

    async def curve_snapshots(self, tenant: str, curve: str, first: date, last: date, limit: int) -> Stored:
        return curves.read(await self._curve_rows(curves.in_sessions([tenant], curve, first, last, limit)))

    async def curve_until(self, tenant: str, curve: str, at: datetime) -> Stored:
        return curves.read(await self._curve_rows(curves.until(tenant, curve, at)))

    async def curve_sessions(
        self, tenant: str, curve: str, span: tuple[date, date], known: datetime, limit: int, *, newest: bool
    ) -> Sequence[date]:
        query = curves.sessions_known(tenant, curve, span, known, limit, newest=newest)
        found = await self._curve_rows(query)
        return cast("list[date]", found["session"].cast(pl.Date).to_list())

    async def curve_publications(self, of: Inputs, known: datetime | None) -> pl.DataFrame:
        return conform(await self._curve_rows(curves.publications(of, known)), SEEN)

    async def _curve_rows(self, query: Query) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return await fetch_async(self._clickhouse, query)
