"""The audit record as the routes read and write it, from a list."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from api.problems import Problem
from api.reads.ports import Store
from db.postgres.audit import Entry
from db.postgres.audit_chain import START, Record, chained
from db.postgres.audit_reads import Filters


class FakeAudit:
    """That part of `tests.api.fakes.FakeReads`."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[Store, str] = {}
        self.records: list[Record] = []

    async def append_audit(self, entries: Sequence[Entry], at: datetime) -> None:
        if "postgres" in self.gone:
            raise Problem(503, "store-away", "postgres does not answer.")
        for each in entries:
            detail = msgspec.json.encode(each.detail, order="sorted").decode()
            fields = (each.tenant, each.actor, each.actor_tenant, each.action, each.target, each.outcome)
            before = self.records[-1].hash if self.records else START
            record = Record(len(self.records) + 1, at, *fields, each.request_id, detail, b"")
            self.records.append(chained("a secret for tests", record, before))

    async def audit_records(self, filters: Filters, after: int, limit: int) -> Sequence[Record]:
        wanted = [each for each in self.records if filters.tenants is None or each.tenant in filters.tenants]
        for name in ("action", "actor"):
            wanted = [each for each in wanted if getattr(filters, name) in (None, getattr(each, name))]
        late = [each for each in wanted if filters.since is None or each.at >= filters.since]
        timely = [each for each in late if filters.until is None or each.at < filters.until]
        return [each for each in timely if each.seq > after][:limit]
