"""Every list in every format, as the routes answer it."""

import io
import json
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import polars as pl
import pytest

from api.problems import Problem
from api.ranges import slices
from api.reads.ports import Names, Window
from api.state import State
from tests.api import fakes
from tests.api.answers import data
from tests.api.fakes import GAS, NODE, START

TICKS = f"/v1/ticks?instrument={GAS}&instrument={NODE}&start=2026-07-01T00:00:00Z"
BARS = f"/v1/bars?instrument={GAS}&interval=1h&start=2026-07-01T00:00:00Z"
LISTS = [
    TICKS, f"/v1/prices/latest?instrument={GAS}", "/v1/instruments", "/v1/markets", "/v1/curves", "/v1/spreads",
]  # fmt: skip
TYPES = {
    "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.stream",
}  # fmt: skip


def _lines(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in answer.content.splitlines()]


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("name", list(TYPES))
async def test_every_list_has_every_format(http: httpx.AsyncClient, address: str, name: str) -> None:
    more = "&" if "?" in address else "?"
    by_name = await http.get(f"{address}{more}format={name}")
    by_header = await http.get(address, headers={"Accept": TYPES[name].partition(";")[0]})
    for answer in (by_name, by_header):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == TYPES[name]
        assert answer.headers["vary"] == "Accept, Accept-Encoding, Authorization, X-API-Key"
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
    shown = data(await http.get(address))
    if name == "ndjson":
        changing = {"age_seconds"}
        assert [_without(row, changing) for row in _lines(by_name)] == [_without(row, changing) for row in shown]
    if name in {"parquet", "arrow"} and "markets" not in address:
        read = pl.read_parquet if name == "parquet" else pl.read_ipc_stream
        frame = read(io.BytesIO(by_name.content))
        assert frame.height == len(shown)
        if shown:
            assert frame.columns == list(shown[0])


def _without(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


async def test_without_a_format_of_ours_it_is_406_and_errors_stay_problems(http: httpx.AsyncClient) -> None:
    refused = await http.get(TICKS, headers={"Accept": "image/png"})
    assert refused.status_code == 406
    for address in (f"{TICKS}&colour=red", "/v1/ticks?instrument=X&format=csv&start=2026-07-01T00:00:00Z"):
        wrong = await http.get(address, headers={"Accept": "text/csv"})
        assert wrong.headers["content-type"] == "application/problem+json"


async def test_a_remembered_price_is_answered_in_the_format_that_is_asked_for(caller: httpx.AsyncClient) -> None:
    address = f"/v1/prices/latest?instrument={GAS}"
    for accept, kind in (
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("application/json", "application/json"),
    ):
        answer = await caller.get(address, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith(kind)


async def test_a_long_answer_is_whole_and_a_page_leads_on(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.stored += [fakes.tick(GAS, START + timedelta(minutes=n), "1") for n in range(5, 1500)]
    whole = await http.get(f"{TICKS}&format=ndjson")
    assert len(_lines(whole)) == 1501
    assert "link" not in whole.headers
    page = await http.get(f"{TICKS}&format=ndjson&limit=10")
    assert len(_lines(page)) == 10
    following = page.headers["link"].partition(">")[0].removeprefix("<")
    assert _lines(page) + _lines(await http.get(following)) == _lines(whole)[:20]


async def test_json_keeps_to_pages(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{TICKS}&limit=10001")
    assert answer.status_code == 422
    assert "10000000 in other formats" in answer.text
    assert (await http.get(f"{TICKS}&limit=10001&format=csv")).status_code == 200


async def test_as_of_tells_in_a_header_whether_it_is_complete(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{TICKS}&format=csv&as_of=2026-07-20T00:00:00Z")
    assert answer.headers["gridtick-complete"] == "true"


async def test_head_has_the_headers_of_get(http: httpx.AsyncClient) -> None:
    address = f"{TICKS}&format=csv"
    get, head = await http.get(address), await http.head(address)
    left = {"x-request-id", "ratelimit", "date"}
    assert {n: v for n, v in head.headers.items() if n not in left} == {
        n: v for n, v in get.headers.items() if n not in left
    }
    assert head.content == b""


async def test_more_long_answers_than_there_are_places_are_refused(state: State, caller: httpx.AsyncClient) -> None:
    ended = [state.streams.take("public"), state.streams.take("public")]
    refused = await caller.get(f"{TICKS}&format=csv")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    ended[0]()
    for _ in range(3):
        assert (await caller.get(f"{TICKS}&format=csv")).status_code == 200
        assert (await caller.head(f"{TICKS}&format=csv")).status_code == 200


class Breaking(fakes.FakeReads):
    """The store goes away after so many pages."""

    pages = 1

    async def many_ticks(
        self, tenants: Names, names: Names, parts: Iterator[Window], known: Any
    ) -> AsyncGenerator[pl.DataFrame]:
        window = next(parts)
        for _ in range(self.pages):
            yield (await self.ticks(tenants, names, window, known)).rows.head(1)
        raise Problem(503, "store-away", "clickhouse does not answer.")


async def test_what_breaks_in_the_middle_is_no_whole_answer() -> None:
    reads = Breaking()
    reads.reference = reads.reference[:1]
    made = fakes.state(reads)
    address = f"/v1/ticks?instrument={GAS}&start=2026-07-01T00:00:00Z&format=csv"
    async with fakes.client(reads, reads.add_key(), made) as client:
        with pytest.raises(AssertionError):  # the transport of tests asserts that the body was ended
            await client.get(address)
        reads.pages = 0
        assert (await client.get(address)).status_code == 503
    ended = [made.streams.take("public"), made.streams.take("public")]
    assert len(ended) == 2


@pytest.mark.parametrize(
    ("address", "rows", "is_exact"),
    [(TICKS, 6, True), (f"{TICKS}&revisions=true", 6, False), (BARS, 0, True),
     (f"/v1/prices/latest?instrument={GAS}", 1, False)],
)  # fmt: skip
async def test_a_dry_run_counts(http: httpx.AsyncClient, address: str, rows: int, is_exact: bool) -> None:
    body = (await http.get(f"{address}&dry_run=true&limit=4")).json()
    assert (body["rows"], body["rows_exact"], body["requests"]) == (rows, is_exact, max(1, -(-rows // 4)))
    assert set(body["bytes_estimate"]) == {"json", *TYPES}
    assert body["cost"]["rows"] == rows
    assert body["query"]["limit"] == 4
    assert "dry_run" not in body["query"]


async def test_a_dry_run_costs_no_row_and_what_is_sent_does(http: httpx.AsyncClient) -> None:
    first = (await http.get(f"{TICKS}&dry_run=true")).json()["cost"]["rows_left_today"]
    await http.get(f"{TICKS}&format=csv")
    assert (await http.get(f"{TICKS}&dry_run=true")).json()["cost"]["rows_left_today"] == first - 6


async def test_more_rows_than_an_answer_holds_are_refused(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.ranges.long_answers.MAX_LONG", 5)
    answer = await http.get(f"{TICKS}&format=csv")
    assert answer.status_code == 422
    assert "about 6 rows" in answer.text
    assert slices.ROWS > 5
