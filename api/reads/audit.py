"""The audit record over the real store: its pages, denied accesses, and loads of reference data, which are recorded."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime

from api.problems import Problem
from api.reads.blocks import BlockReads
from api.reads.known import Connections
from db.clickhouse.spreads import spreads_with_values
from db.postgres import audit_reads
from db.postgres.audit import Entry, append
from db.postgres.audit_chain import Record
from db.postgres.audit_reads import Filters
from db.postgres.changes import By
from db.reference import keeper
from db.reference.loading import Loaded, Mode, load
from db.reference.recorded import Author
from pipeline.reference.reading import Given


class AuditReads(BlockReads):
    """That part of `api.reads.ports.Reads`."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._audit_secret = connections.audit_secret

    async def audit_records(self, filters: Filters, after: int, limit: int) -> Sequence[Record]:
        async with self._watch.reading("postgres"):
            return await audit_reads.records(self._postgres, filters, after, limit)

    async def append_audit(self, entries: Sequence[Entry], at: datetime) -> None:
        async with self._watch.reading("postgres"), self._postgres.begin() as connection:
            await append(connection, self._audit_secret, entries, at)

    async def load_reference(self, given: Given, mode: Mode, by: By) -> Loaded:
        author = Author(by, self._audit_secret)
        async with self._watch.reading("postgres"):
            loaded = await load(self._postgres, [given], self._valued, mode, author)
        with suppress(Problem):  # it is loaded: the others look for it themselves
            async with self._watch.reading("postgres"):
                await keeper.publish(self._postgres, self._redis)
        return loaded

    def _valued(self) -> Collection[tuple[str, str]]:
        with self._watch.naming("clickhouse"):
            return spreads_with_values(self._blocking)
