"""The reads of the status of markets and products, over the real stores."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from api.problems import Problem
from api.reads.explain import ExplainReads
from api.reads.known import Connections
from db.clickhouse.active import ACTIVE, active
from db.clickhouse.frames import fetch_async
from db.postgres import ledger, places
from db.postgres.ledger import DeadLetters
from db.postgres.places import Message
from pipeline.schema import conform
from service.settings.group import QUEUES

_BROKER_S: Final = 2.0


class StatusReads(ExplainReads):
    """That part of `api.reads.ports.Reads`."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._broker = connections.broker

    async def active(self, tenant: str, now: datetime) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return conform(await fetch_async(self._clickhouse, active(tenant, now)), ACTIVE)

    async def landed_at(self, messages: Sequence[Message]) -> Mapping[Message, datetime]:
        async with self._watch.reading("postgres"):
            return await places.landed_at(self._postgres, messages)

    async def queued(self) -> Mapping[str, int]:
        broker = self._broker
        if broker is None:
            return {}
        try:
            async with self._watch.reading("redis", _BROKER_S):
                return {name: await broker.llen(name) for name in reversed(QUEUES)}
        except Problem:
            return {}

    async def dead_letters(self, since: datetime) -> DeadLetters:
        async with self._watch.reading("postgres"):
            return await ledger.dead_letters(self._postgres, since)
