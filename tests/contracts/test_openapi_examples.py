"""Every request that the examples of the OpenAPI document make is answered, and the answer is as its schema says."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import polars as pl
import pytest

from api.reads.stores import BAR
from pipeline.reference.tables import TABLES
from tests.api import fakes
from tests.contracts.test_openapi import check, document
from tests.db.clickhouse.rows import document as publication
from tests.pipeline.curves.making import MONDAY, strip
from tests.pipeline.curves.tables import tables
from tests.pipeline.spreads.making import leg, row

PJM = ("pjm.da_hourly.51217", "pjm.da_hourly.51288")
# Either instruments or a market are asked for.
INSTEAD = {
    (name, field): "instrument" for name in ("list_latest_prices", "list_changes") for field in ("market", "product")
}
WITH = {
    ("list_curves", "product"): "market",
    ("list_latest_prices", "product"): "market",
    ("list_changes", "product"): "market",
    ("show_coverage", "start"): "end",
}

RANGED = {"list_bars", "list_basis", "list_ticks"}
# What is made only by a request that the demo does not send.
MADE = ("/v1/admin/keys/", "/v1/admin/tenants/", "/v1/admin/dead-letters")


BAR_ROW: dict[str, Any] = dict.fromkeys(BAR) | {
    "tenant": "public", "instrument": fakes.NODE, "interval": "1h", "start": fakes.START,
    "end": fakes.START + timedelta(hours=1), "open": Decimal("31.5"), "high": Decimal("31.5"), "low": Decimal("31.5"),
    "close": Decimal("31.5"), "twap": Decimal("31.5"), "covered_seconds": Decimal(300), "count": 1, "flags": 1,
    "revision": 0, "updated_at": fakes.START,
}  # fmt: skip


def reads() -> fakes.FakeReads:
    """What the demo has of what the examples name."""
    made = fakes.FakeReads()
    for name in PJM:
        made.reference.append(fakes.instrument(name, market="pjm", product="da_hourly", location=name[14:]))
    spread = row("dart.pjm_western_hub", leg(PJM[1]), leg("pjm.rt_hourly.51288", "-1"))
    made.tables |= {**tables(), "spreads": pl.DataFrame([spread], schema=TABLES["spreads"].schema)}
    made.published = strip(MONDAY, "3.1", "2.9")
    node: dict[str, Any] = {"instrument": fakes.NODE, "location": "TH_NP15_GEN-APND"}
    made.told = [publication("public", fakes.START, "31.5", known_at=fakes.START, topic_id="T", offset=1, **node)]
    made.topics = {"T": "prices.raw"}
    made.bar_rows = [BAR_ROW]
    return made


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    held = reads()
    async with fakes.client(held, held.add_key(role="admin")) as client:
        yield client


def requests() -> list[tuple[str, str, dict[str, Any], str]]:
    """Path, operation, parameters and what they show: what is filled in, and each other parameter beside that."""
    return [
        (path, each["operationId"], {**filled(each), **more}, next(iter(more), "filled in"))
        for path, methods in document()["paths"].items()
        for method, each in methods.items()
        if method == "get"
        for more in ({}, *others(each))
    ]


def filled(operation: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["example"] for each in operation.get("parameters", ()) if "example" in each}


def others(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each parameter that is not filled in; None takes one that is filled in out."""
    name, shown = operation["operationId"], {}
    for each in operation.get("parameters", ()):
        if "example" not in each and "examples" in each["schema"]:
            shown[each["name"]] = each["schema"]["examples"][0]
    instead = {field: {INSTEAD[name, field]: None} if (name, field) in INSTEAD else {} for field in shown}
    beside = {field: {WITH[name, field]: shown[WITH[name, field]]} if (name, field) in WITH else {} for field in shown}
    since = {"start": shown["start"]} if name in RANGED else {}  # else of the last day, of which nothing is stored
    return [{**since, field: value, **instead[field], **beside[field]} for field, value in shown.items()]


@pytest.mark.parametrize(("path", "operation", "given", "shown"), requests(), ids=lambda each: str(each)[:40])
async def test_an_example_works(
    http: httpx.AsyncClient, path: str, operation: str, given: dict[str, Any], shown: str
) -> None:
    left = {name: value for name, value in given.items() if f"{{{name}}}" not in path and value is not None}
    address = re.sub(r"\{(\w+)\}", lambda part: quote(str(given[part[1]])), path)
    answer = await http.get(address, params=_written(left))
    if answer.status_code == 404 and path.startswith(MADE):
        return
    assert answer.status_code == 200, f"{operation}, {shown}: {answer.text}"
    schema = document()["paths"][path]["get"]["responses"]["200"]["content"]
    if answer.headers["content-type"] == "application/json":
        assert check(schema["application/json"]["schema"], answer.json()) == []


async def test_the_example_of_a_table_is_loaded(http: httpx.AsyncClient) -> None:
    put = document()["paths"]["/v1/admin/reference/{table}"]["put"]
    body = put["requestBody"]["content"]["text/csv"]["example"]
    answer = await http.put("/v1/admin/reference/taxonomy_rules?dry_run=true", content=body)
    assert (answer.status_code, answer.json()["added"]) == (200, 1), answer.text


def _written(given: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
