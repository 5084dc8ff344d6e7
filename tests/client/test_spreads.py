"""The client's and the command line's reads of spreads."""

import csv
import io
import json
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import polars as pl
import pytest
from typer.testing import CliRunner

from gridtick.cli import spreads
from gridtick.cli.main import build
from gridtick.client import Client

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
EXPLAINED = """{"instrument":"spread.dart.w","interval_start":"2025-05-01T21:00:00Z","formula":"da - rt",
"unit":"USD/MWh","written":"5 − 3 = 2","price":2,"prices":[{"instrument":"A","interval_start":"T","known_at":"K",
"price":5.000000001,"topic_id":"t","partition":1,"offset":2,"row":3}],"missing":[]}"""
asked: list[httpx.Request] = []


def answer(request: httpx.Request) -> httpx.Response:
    asked.append(request)
    if request.url.path.endswith("explain"):
        return httpx.Response(200, content=EXPLAINED)
    row = '{"spread":"dart.w","instrument":"spread.dart.w","price":1,"hub_price":2}'
    return httpx.Response(200, content=f'{{"data":[{row}],"next":null,"query":{{}}}}')


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    asked.clear()
    made = Client("http://api.test", KEY, transport=httpx.MockTransport(answer))

    @contextmanager
    def connected(_: Path) -> Generator[Client]:
        yield made

    monkeypatch.setattr(spreads, "connected", connected)
    return made


def test_definitions_and_basis_are_lists(client: Client) -> None:
    assert [each["spread"] for each in client.spreads.list(kind="dart", market="pjm")] == ["dart.w"]
    (found,) = client.spreads.basis("A", "B", start="2025-05-01T00:00:00Z")
    assert (found["price"], found["hub_price"]) == (Decimal(1), Decimal(2))
    assert isinstance(found["hub_price"], Decimal)
    assert [request.url.path for request in asked] == ["/v1/spreads", "/v1/basis"]
    assert dict(asked[0].url.params) == {"kind": "dart", "market": "pjm", "limit": "1000"}
    assert dict(asked[1].url.params) == {
        "instrument": "A", "hub": "B", "start": "2025-05-01T00:00:00Z", "limit": "1000",
    }  # fmt: skip


def test_an_explanation_is_exact(client: Client) -> None:
    found = client.spreads.explain("spread.dart.w", "2025-05-01T21:00:00Z")
    assert found["price"] == Decimal(2)
    assert isinstance(found["price"], Decimal)
    assert found["prices"][0]["price"] == Decimal("5.000000001")


@pytest.mark.usefixtures("client")
def test_the_command_lists_and_explains() -> None:
    app = build(("spreads", "ticks"))
    listed = CliRunner().invoke(app, ["spreads", "ls", "--kind", "dart", "--format", "ndjson"])
    assert listed.exit_code == 0
    assert '"instrument":"spread.dart.w"' in listed.stdout
    told = CliRunner().invoke(app, ["spreads", "explain", "spread.dart.w", "2025-05-01T21:00:00Z"])
    assert told.stdout.splitlines() == [
        "spread.dart.w at 2025-05-01T21:00:00Z: da - rt (USD/MWh)",
        "5 − 3 = 2",
        "  5.000000001  A at T, known K: topic t, partition 1, offset 2, row 3",
    ]
    whole = CliRunner().invoke(app, ["spreads", "explain", "spread.dart.w", "2025-05-01T21:00:00Z", "--json"])
    assert '"price":5.000000001' in whole.stdout


def test_legs_are_json_where_a_cell_holds_them(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    legs: list[dict[str, object]] = [{"instrument": "A", "contract": None, "weight": "1"}]
    row = {"spread": "dart.w", "legs": legs}
    monkeypatch.setattr(client.spreads, "list", lambda **_: [row])  # pyright: ignore[reportUnknownLambdaType]
    said = CliRunner().invoke(build(("spreads",)), ["spreads", "ls", "--format", "csv"])
    (line,) = csv.DictReader(io.StringIO(said.stdout))
    assert json.loads(line["legs"]) == legs
    said = CliRunner().invoke(build(("spreads",)), ["spreads", "ls", "--format", "parquet"])
    (text,) = pl.read_parquet(io.BytesIO(said.stdout_bytes))["legs"][0]
    assert json.loads(text) == legs[0]
