"""The reads of what a bar is explained from, over the real stores."""

from collections.abc import Collection, Mapping
from datetime import datetime

import polars as pl

from api.reads.blocks import BlockReads
from api.shapes import BAR
from db.clickhouse import explain, reads
from db.clickhouse.explain import Publications
from db.clickhouse.frames import fetch_async
from db.clickhouse.query import Query
from db.clickhouse.rollup import VERSION_UNIT
from db.postgres import places
from pipeline.schema import conform


class ExplainReads(BlockReads):
    """That part of `api.reads.ports.Reads`."""

    async def stored_bar(
        self, tenant: str, name: str, interval: str, start: datetime, end: datetime
    ) -> tuple[pl.DataFrame, int | None]:
        query = reads.read_bars(reads.Scope([tenant], [name]), interval, reads.Range(start, end, 1))
        found = await self._explained(query)
        rule = None if found.is_empty() else found["ver"][0] // VERSION_UNIT
        return conform(found.select(list(BAR)), BAR), rule

    async def bar_publications(
        self, tenant: str, name: str, start: datetime, end: datetime, known: datetime | None, most: int
    ) -> Publications:
        scope, span = reads.Scope([tenant], [name]), reads.Range(start, end, most)
        ((total,),) = (await self._explained(explain.counted(scope, span, known))).rows()
        before = None
        if total > most:
            ((before,),) = (await self._explained(explain.beyond(scope, span, known))).rows()
        rows = explain.rows(await self._explained(explain.publications(scope, span, known, before)))
        return Publications(rows, rows.height if before is None else total, whole=before is None)

    async def topics_of(self, topic_ids: Collection[str]) -> Mapping[str, str]:
        async with self._watch.reading("postgres"):
            return await places.topics_of(self._postgres, topic_ids)

    async def _explained(self, query: Query) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return await fetch_async(self._clickhouse, query)
