"""The client's and the command line's working behind a bar, markets and status."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from gridtick.cli import explain
from gridtick.cli.main import build
from gridtick.client import Client

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
ARGUMENTS = ["explain", "A", "15m", "2026-07-01T00:00:00Z"]
BAR = {"instrument": "A", "interval": "15m", "start": "S", "end": "E", "revision": 1, "updated_at": "U"}
PUBLICATION = {
    "number": 0, "counts": False, "why": "superseded", "revision": None, "known_at": "K", "topic": "raw",
    "topic_id": "T", "partition": 1, "offset": 2, "row": 3, "interval_start": "S", "price": 1, "version": 4,
    "flags": ["VALID", "LATE_ARRIVAL"], "event_id": "",
}  # fmt: skip
FOUND: dict[str, Any] = {
    "bar": BAR | {"open": 5, "is_final": True}, "complete": None, "agrees": True, "order": "by start", "advice": None,
    "formula": {"twap": "5 × 300 ÷ 300 = 5", "vwap": None, "open": "price 1 = 5"}
    | dict.fromkeys(("high", "low", "close", "count", "volume", "revision")),
    "prices": [{"order": 1, "publication": 1, "interval_start": "S", "seconds": 300, "price": 5, "volume": None}],
    "publications": [
        PUBLICATION,
        PUBLICATION | {"number": 1, "counts": True, "why": None, "revision": "changed", "price": 5, "topic": None},
    ],
}  # fmt: skip
asked: list[httpx.Request] = []


def answer(request: httpx.Request) -> httpx.Response:
    asked.append(request)
    if request.url.path == "/v1/status":
        body = {"age_seconds": 0, "stale": False, "products": [{"market": "caiso", "age_seconds": 60}]}
        return httpx.Response(200, json=body)
    if request.url.path == "/v1/markets":
        return httpx.Response(200, json={"data": [{"market": "caiso"}], "next": None, "query": {}})
    return httpx.Response(200, json=FOUND)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    asked.clear()
    made = Client("http://api.test", KEY, transport=httpx.MockTransport(answer))

    @contextmanager
    def connected(_: Path) -> Generator[Client]:
        yield made

    monkeypatch.setattr(explain, "connected", connected)
    return made


def test_an_explanation_is_exact(client: Client) -> None:
    found = client.explain("A", "15m", "2026-07-01T00:00:00Z", as_of="2026-07-02T00:00:00Z")
    numbers = (found["bar"]["open"], found["prices"][0]["seconds"], found["publications"][0]["price"])
    assert numbers == (5, 300, 1)
    assert all(isinstance(each, Decimal) for each in numbers)
    assert dict(asked[0].url.params) == {
        "instrument": "A", "interval": "15m", "start": "2026-07-01T00:00:00Z", "as_of": "2026-07-02T00:00:00Z",
    }  # fmt: skip


def test_markets_and_status(client: Client) -> None:
    assert [each["market"] for each in client.markets()] == ["caiso"]
    found = client.status()
    assert (found["stale"], found["products"][0]["age_seconds"]) == (False, Decimal(60))
    assert isinstance(found["products"][0]["age_seconds"], Decimal)


@pytest.mark.usefixtures("client")
def test_a_page_for_a_terminal() -> None:
    said = CliRunner().invoke(build(("explain", "bars")), [*ARGUMENTS, "--format", "table"])
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines() == [
        "A 15m [S, E)",
        "  revision 1, last changed U, final",
        "",
        "  open     price 1 = 5",
        "  twap     5 × 300 ÷ 300 = 5",
        "",
        "Prices, by start",
        "  1. 5 from S for 300 s (#1)",
        "",
        "Publications, in the order in which they became known",
        "  #0 1 from S: does not count: a later one changed the price",
        "     known K, version 4, VALID LATE_ARRIVAL; raw, partition 1, offset 2, row 3",
        "  #1 5 from S: counts, a revision: it changed the price",
        "     known K, version 4, VALID LATE_ARRIVAL; T, partition 1, offset 2, row 3",
    ]


@pytest.mark.usefixtures("client")
def test_rows_for_a_pipe_and_all_of_it_as_json() -> None:
    app = build(("explain", "bars"))
    piped = CliRunner().invoke(app, ARGUMENTS)
    assert [json.loads(line)["number"] for line in piped.stdout.splitlines()] == [0, 1]
    whole = CliRunner().invoke(app, [*ARGUMENTS, "--format", "json", "--as-of", "2026-07-02T00:00:00Z"])
    assert json.loads(whole.stdout) == FOUND
    assert asked[-1].url.params["as_of"] == "2026-07-02T00:00:00Z"
    table = CliRunner().invoke(app, [*ARGUMENTS, "--format", "csv"])
    assert table.stdout.splitlines()[0].startswith("number,counts,why,effective,revision,known_at,topic,")


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("agrees", False, "about to change"),
        ("complete", False, "Provisional"),
        ("advice", "Ask for 1h.", "Ask for 1h."),
    ],
)
def test_what_else_is_to_be_known(monkeypatch: pytest.MonkeyPatch, name: str, value: object, words: str) -> None:
    app = build(("explain", "bars"))
    assert CliRunner().invoke(app, ARGUMENTS).stderr == ""
    monkeypatch.setitem(FOUND, name, value)
    assert words in CliRunner().invoke(app, ARGUMENTS).stderr
