"""The API as a process writes what it denies: within a second, and what is left when it ends."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from db.postgres.audit_reads import Filters, Verdict, records, verify
from db.postgres.engine import make_engine
from local.stack import Stack
from service.settings import Settings
from tests.api.running_api import access, serving
from tests.polling import until

pytestmark = pytest.mark.stack


def targets(settings: Settings, tenant: str) -> list[str]:
    async def read() -> list[str]:
        engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
        return [each.target for each in await records(engine, Filters([tenant]), 0, 9)]

    return asyncio.run(read())


def verdict(settings: Settings) -> Verdict:
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    return asyncio.run(verify(engine, settings.api.audit_secret.get_secret_value()))


def test_a_denied_access_is_in_the_record_soon_and_at_the_end(stack: Stack, settings: Settings) -> None:
    tenant = f"t-{uuid4().hex[:12]}"
    headers = {"X-API-Key": asyncio.run(access(settings, tenant))}
    with serving(stack) as url:
        assert httpx.get(f"{url}/v1/admin/audit", headers=headers).status_code == 403
        until(lambda: bool(targets(settings, tenant)), 10, "the denied access is recorded")
        assert httpx.get(f"{url}/v1/admin/reference/locations", headers=headers).status_code == 403
    assert targets(settings, tenant) == ["GET /v1/admin/audit", "GET /v1/admin/reference/{table}"]
    assert verdict(settings).wrong == []
