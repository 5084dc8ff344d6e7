"""Loads of reference data have their record in the same transaction."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.audit_reads import Filters, records, verify
from db.postgres.changes import By
from db.reference.loading import PLAIN, Mode, Refused, load
from db.reference.recorded import Author
from pipeline.errors import DataProcessingError
from service.settings import Settings
from tests.db.reference.test_loading import held, nothing, places, spread

pytestmark = pytest.mark.stack
AT = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def author(settings: Settings, tenant: str) -> Author:
    return Author(By("key1", tenant, "request1", AT), settings.api.audit_secret.get_secret_value())


async def test_a_load_has_one_record_for_each_tenant_that_it_changes(
    engine: AsyncEngine, tenant: str, author: Author
) -> None:
    other = f"{tenant}-other"
    files = [places(tenant, "pjm,A,,,node,s", "pjm,B,,,node,s"), places(other, "pjm,A,,,node,s"), spread(tenant)]
    await load(engine, files, nothing, Mode(dry_run=True), author)
    for _ in range(2):  # the second time nothing changes
        await load(engine, files, nothing, PLAIN, author)
    [record] = await records(engine, Filters([tenant]), 0, 9)
    assert (record.at, record.actor, record.actor_tenant, record.request_id) == (AT, "key1", tenant, "request1")
    assert (record.action, record.target, record.outcome) == ("reference.load", "locations,spreads", "done")
    assert json.loads(record.detail) == {
        "locations": {"added": 2, "changed": 0, "removed": 0}, "spreads": {"added": 1, "changed": 0, "removed": 0},
    }  # fmt: skip
    [record] = await records(engine, Filters([other]), 0, 9)
    assert json.loads(record.detail) == {"locations": {"added": 1, "changed": 0, "removed": 0}}
    assert (await verify(engine, author.secret)).wrong == []


async def test_what_is_refused_or_cannot_be_recorded_changes_nothing(
    engine: AsyncEngine, tenant: str, author: Author
) -> None:
    await load(engine, [places(tenant, "pjm,A,,,node,s")], nothing)
    with pytest.raises(Refused):
        await load(engine, [places(tenant, "pjm,A,2026-01-01,,node,s", "pjm,B,,,node,s")], nothing, PLAIN, author)
    with pytest.raises(DataProcessingError, match="DATA_PROC_API_AUDIT_SECRET is empty"):
        await load(engine, [places(tenant, "pjm,C,,,node,s")], nothing, PLAIN, author._replace(secret=""))
    assert (await held(engine, tenant))["location"].to_list() == ["A"]
    assert await records(engine, Filters([tenant]), 0, 9) == []
