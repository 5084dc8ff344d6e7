"""The reads of the status of markets and products, over the real stores."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from api.reads.explain import ExplainReads
from db.clickhouse.active import ACTIVE, active
from db.clickhouse.frames import fetch_async
from db.postgres import places
from db.postgres.places import Message
from pipeline.schema import conform


class StatusReads(ExplainReads):
    """That part of `api.reads.ports.Reads`."""

    async def active(self, tenant: str, now: datetime) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return conform(await fetch_async(self._clickhouse, active(tenant, now)), ACTIVE)

    async def landed_at(self, messages: Sequence[Message]) -> Mapping[Message, datetime]:
        async with self._watch.reading("postgres"):
            return await places.landed_at(self._postgres, messages)
