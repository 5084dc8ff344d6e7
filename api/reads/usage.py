"""What is kept of how much keys have asked for, over the real store."""

from collections.abc import Mapping, Sequence
from datetime import date

from api.reads.audit import AuditReads
from db.postgres import usage
from db.postgres.usage import Used, Whose


class UsageReads(AuditReads):
    """That part of `api.reads.ports.Reads`."""

    async def add_usage(self, counts: Sequence[tuple[Whose, Used]]) -> Mapping[tuple[date, str], int]:
        async with self._watch.reading("postgres"):
            return await usage.add_usage(self._postgres, counts)

    async def usage(self, tenant: str, since: date) -> Sequence[tuple[Whose, Used]]:
        async with self._watch.reading("postgres"):
            return await usage.read_usage(self._postgres, tenant, since)
