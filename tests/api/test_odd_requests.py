"""Requests that no client sends by mistake: they are refused in the shape of all others."""

import re
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from api import values
from tests.api import fakes

ADMIN = "/v1/admin/keys"


async def sent(reads: fakes.FakeReads, body: bytes) -> httpx.Response:
    async with fakes.client(reads, reads.add_key(role="admin")) as http:
        return await http.post(ADMIN, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("body", [b"\xff\xfe{", b"[" * 30_000])
async def test_a_body_that_cannot_be_decoded_is_named(reads: fakes.FakeReads, body: bytes) -> None:
    answer = await sent(reads, body)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["parameter"]) == (422, "body")
    assert "UTF-8" in error["detail"]


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (b'{"name":"\\ud800","role":"viewer"}', "name"),
        (b'{"name":"n","role":"viewer","\\udfff":1}', "body"),
        (b'{"name":"n","role":"\\ud800"}', "role"),
        (b'{"name":"\xed\xa0\x80","role":"viewer"}', "name"),
        (b'{"name":"n","role":"viewer","tenant":"\\ud800"}', "tenant"),
    ],
)
async def test_half_a_letter_is_refused_by_its_field(reads: fakes.FakeReads, body: bytes, parameter: str) -> None:
    answer = await sent(reads, body)
    assert (answer.status_code, [each["parameter"] for each in answer.json()["errors"]]) == (422, [parameter])


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (ADMIN, "GET, HEAD, POST"),
        ("/v1/admin/tenants/acme", "DELETE, GET, HEAD, PATCH"),
        ("/v1/admin/dead-letters/replay", "POST"),
        ("/v1/ticks", "GET, HEAD"),
    ],
)
async def test_a_405_names_all_methods_of_the_path(reads: fakes.FakeReads, path: str, methods: str) -> None:
    async with fakes.client(reads, reads.add_key(role="admin")) as http:
        answer = await http.options(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, methods)
    assert methods in answer.json()["detail"]


@pytest.mark.parametrize("at", [values.FIRST, values.LATEST, datetime(2026, 7, 1, 12, 30, 0, 123456, tzinfo=UTC)])
@pytest.mark.parametrize("hours", [-23, -7, 0, 14, 23])
def test_what_the_document_says_of_instants_is_true_of_every_good_one(at: datetime, hours: int) -> None:
    local = at.astimezone(timezone(timedelta(hours=hours)))
    for text in (local.isoformat(), local.isoformat().lower(), local.isoformat().replace("+00:00", "z")):
        assert values.instant(text) == at
        assert re.search(values.WRITTEN, text), text


@pytest.mark.parametrize("text", ["1989-12-28T00:00:00Z", "2100-01-03T00:00:00Z", "2026-07-01T00:00:00", "2026-07-01"])
def test_what_the_document_excludes_is_refused(text: str) -> None:
    assert not re.search(values.WRITTEN, text)
    with pytest.raises(ValueError, match=r"Write|outside"):
        values.instant(text)


@pytest.mark.parametrize("path", ["/v1/admin/tenants", "/v1/admin/keys", "/v1/admin/audit", "/v1/markets"])
async def test_a_tenant_is_one(reads: fakes.FakeReads, path: str) -> None:
    async with fakes.client(reads, reads.add_key(role="admin")) as http:
        answer = await http.get(path, params={"tenant": "acme,rival"})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "tenant")


@pytest.mark.parametrize(
    ("method", "path", "parameter"),
    [
        ("GET", "/v1/admin/keys/a%00b", "key_id"),
        ("DELETE", "/v1/admin/keys/a%00b", "key_id"),
        ("GET", "/v1/admin/tenants/a%00b", "tenant"),
        ("GET", "/v1/admin/tenants/acme,rival", "tenant"),
        ("GET", "/v1/admin/tenants/acme,rival/export", "tenant"),
        ("POST", "/v1/admin/tenants/a%00b/suspend", "tenant"),
    ],
)
async def test_what_no_id_holds_is_refused(reads: fakes.FakeReads, method: str, path: str, parameter: str) -> None:
    async with fakes.client(reads, reads.add_key(role="admin")) as http:
        answer = await http.request(method, path)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["parameter"] == parameter


async def test_a_table_holds_no_nul(reads: fakes.FakeReads) -> None:
    rule = "rule,priority,market,commodity,region,tier,source\ncaiso,1,caiso,power,US-CA,real_time,mi\0ne\n"
    async with fakes.client(reads, reads.add_key(role="admin")) as http:
        answer = await http.put("/v1/admin/reference/taxonomy_rules?dry_run=true", content=rule)
    assert (answer.status_code, answer.json()["type"]) == (422, "/docs/errors/invalid-reference"), answer.text
    assert "line 2, file" in [each["parameter"] for each in answer.json()["errors"]], answer.text
    assert "NUL" in answer.text


async def test_a_cursor_of_another_route_is_refused(reads: fakes.FakeReads) -> None:
    reads.reference.append(fakes.instrument("pjm.da_hourly.51217"))
    async with fakes.client(reads, reads.add_key("public", "admin")) as operator:
        cursor = (await operator.get("/v1/markets?limit=1")).json()["next"]
        assert cursor
        for path in ("/v1/admin/keys", "/v1/admin/tenants", "/v1/markets?limit=1"):
            address = f"{path}{'&' if '?' in path else '?'}cursor={cursor}"
            assert (await operator.get(address)).status_code == (200 if "markets" in path else 422)
