"""Instruments with what the reference says they are, and the reference itself for administrators."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import polars as pl
import pytest

from api.wire import exchange
from db.postgres.changes import By
from db.reference.loading import Loaded, Mode, Refused
from db.reference.snapshot import Snapshot
from pipeline.reference.problems import Problem as Wrong
from pipeline.reference.reading import Given
from pipeline.reference.tables import TABLES
from pipeline.schema import conform
from tests.api import fakes

RULES = "/v1/admin/reference/taxonomy_rules"
HEAD = "rule,priority,market,commodity,region,tier,source\n"
DAY = date(2026, 7, 2)


def table(name: str, **row: object) -> pl.DataFrame:
    given = {"tenant": "public", "source": "here"} | row
    return conform(pl.DataFrame([given]), TABLES[name].schema)


@pytest.fixture
def reads() -> fakes.FakeReads:
    made = fakes.FakeReads()
    made.tables["taxonomy_rules"] = table(
        "taxonomy_rules", rule="caiso", priority=1, market="caiso", commodity="power", region="US-CA", tier="real_time"
    )
    made.tables["instrument_facts"] = table(
        "instrument_facts", instrument=fakes.GAS, confirmed=True, commodity="gas", unit="USD/MMBtu",
        tick_size=Decimal("0.001"), valid_from=DAY,
    )  # fmt: skip
    return made


@pytest.fixture
async def http(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    async with fakes.client(reads, reads.add_key(role="admin")) as made:
        yield made


async def _data(http: httpx.AsyncClient, query: str) -> list[Mapping[str, Any]]:
    answer = await http.get(f"/v1/instruments?{query}")
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)["data"]


async def test_a_list_says_what_instruments_are_and_why(http: httpx.AsyncClient) -> None:
    gas, node = await _data(http, "")
    assert (gas["commodity"], gas["tick_size"], gas["unit"]) == ("gas", Decimal("0.001"), "USD/MMBtu")
    assert (node["commodity"], node["region"], node["tier"]) == ("power", "US-CA", "real_time")
    assert 0 < node["confidence"] <= 1
    assert "rule caiso" in node["reason"]


async def test_what_they_were_on_a_day(http: httpx.AsyncClient) -> None:
    assert [each["commodity"] for each in await _data(http, f"day={DAY}")] == ["gas", "power"]
    assert [each["commodity"] for each in await _data(http, "day=2026-07-01")] == [None, "power"]
    for day, unit in ((DAY, "USD/MMBtu"), (date(2026, 7, 1), None)):
        one = await http.get(f"/v1/instruments/{fakes.GAS}?day={day}")
        assert (one.status_code, one.json()["unit"]) == (200, unit), one.text
    assert (await http.get("/v1/instruments?day=yesterday")).status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("commodity=power", [fakes.NODE]),
        ("commodity=gas", [fakes.GAS]),
        ("region=US-CA&tier=real_time", [fakes.NODE]),
        ("region=US-TX", []),
        ("q=np15", [fakes.NODE]),
        ("q=old hub", [fakes.NODE]),
        ("q=.*", []),
        ("location=TH_NP15_GEN-APND", [fakes.NODE]),
        ("market=henry_hub&product=tick", [fakes.GAS]),
    ],
)
async def test_what_is_asked_for_is_found(
    reads: fakes.FakeReads, http: httpx.AsyncClient, query: str, found: list[str]
) -> None:
    reads.names["public", fakes.NODE] = [("The Old Hub", fakes.START)]
    assert [each["instrument"] for each in await _data(http, query)] == found


async def test_pages_of_what_is_found(http: httpx.AsyncClient) -> None:
    first = (await http.get("/v1/instruments?limit=1")).json()
    second = (await http.get(f"/v1/instruments?limit=1&cursor={first['next']}")).json()
    assert [each["data"][0]["instrument"] for each in (first, second)] == [fakes.GAS, fakes.NODE]
    assert second["next"] is None


async def test_a_new_instrument_is_shown_before_the_snapshot_holds_it(
    reads: fakes.FakeReads, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await reads.snapshot()

    async def behind(*, fresh: bool = False) -> Snapshot:
        return old

    monkeypatch.setattr(reads, "snapshot", behind)
    reads.reference.append(fakes.instrument("caiso.rt_5min.NEW"))
    one = (await http.get("/v1/instruments/caiso.rt_5min.NEW")).json()
    assert (one["instrument"], one["commodity"]) == ("caiso.rt_5min.NEW", "power")


async def test_an_old_reference_is_degraded_and_says_why(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.old_reference = "PostgreSQL does not answer (OSError): the reference of version 1 goes on."
    ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["reasons"] == [reads.old_reference]
    assert ready.json()["reference"] == {"version": 1, "age_seconds": 0.25, "reason": reads.old_reference}


async def test_a_table_is_read_as_csv_and_loaded_as_it_was_read(
    reads: fakes.FakeReads, http: httpx.AsyncClient
) -> None:
    shown = (await http.get(RULES)).json()
    assert (shown["table"], shown["data"][0]["rule"], shown["data"][0]["priority"]) == ("taxonomy_rules", "caiso", 1)
    written = await http.get(f"{RULES}?format=csv")
    assert written.headers["content-type"] == "text/csv; charset=utf-8"
    same = await http.put(f"{RULES}?replace=true&dry_run=true", content=written.content)
    assert same.json() == {"table": "taxonomy_rules", "added": 0, "changed": 0, "removed": 0, "version": 2}
    [(given, mode)] = reads.loaded
    assert given.rows.equals(reads.tables["taxonomy_rules"])
    assert mode == Mode(replace=True, dry_run=True)
    assert (reads.loaded_by[0].tenant, reads.loaded_by[0].request_id) == ("public", same.headers["X-Request-ID"])


async def test_a_body_with_problems_loads_nothing_and_lists_them(
    reads: fakes.FakeReads, http: httpx.AsyncClient
) -> None:
    answer = await http.put(RULES, content=f"{HEAD}r,high,pjm,power,,,s\nr2,1,pjm,steam,,,s\n")
    assert answer.status_code == 422
    errors = {each["parameter"]: each for each in answer.json()["errors"]}
    assert errors["line 2, priority"]["value"] == "high"
    assert errors["line 3, commodity"]["detail"].startswith("is not one of")
    assert not reads.loaded
    assert (await http.put(RULES, content=b"nothing\n")).status_code == 422
    answer = await http.put(RULES, content=HEAD + "r,high,pjm,power,,,s\n" * 1001)
    assert answer.json()["detail"] == "taxonomy_rules: more than 1000 problems, nothing was loaded."
    assert len(answer.json()["errors"]) == 200


async def test_what_contradicts_the_rows_that_are_there_is_422(
    reads: fakes.FakeReads, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(given: Given, mode: Mode, by: By) -> Loaded:
        raise Refused(given.table, [Wrong(0, "spread", "dart.x", "has values.")])

    monkeypatch.setattr(reads, "load_reference", refuse)
    answer = await http.put(RULES, content=f"{HEAD}r,1,pjm,power,,,s\n")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"parameter": "spread", "detail": "has values.", "value": "dart.x"}]


async def test_only_a_tenants_own_rows_are_written_and_only_by_administrators(reads: fakes.FakeReads) -> None:
    body = f"tenant,{HEAD}public,r,1,pjm,power,,,s\n"
    async with fakes.client(reads, reads.add_key("acme", "admin")) as http:
        assert (await http.put(RULES, content=body)).json()["errors"][0]["parameter"] == "line 2, tenant"
        assert (await http.put(RULES, content=body.replace("public", "acme"))).status_code == 200
        assert (await http.get(f"{RULES}?tenant=other")).status_code == 404
        assert (await http.get(f"{RULES}?tenant=public")).json()["data"][0]["rule"] == "caiso"
        assert (await http.get(RULES)).json()["data"] == []
        assert (await http.get("/v1/admin/reference/nothing")).status_code == 404
    async with fakes.client(reads, reads.add_key("acme", "operator")) as http:
        for answer in (await http.get(RULES), await http.put(RULES, content=body)):
            assert (answer.status_code, answer.json()["type"]) == (403, "/docs/errors/scope-missing")


async def test_a_table_may_be_larger_than_other_bodies(http: httpx.AsyncClient) -> None:
    rows = "".join(f"r{number},1,pjm,power,,,{'s' * 90}\n" for number in range(1_000))
    assert len(rows) > exchange.BODY_BYTES
    assert (await http.put(RULES, content=HEAD + rows)).json()["added"] == 1_000
    large = "x" * (exchange.TABLE_BYTES + 1)
    assert (await http.put(RULES, content=large)).status_code == 413
