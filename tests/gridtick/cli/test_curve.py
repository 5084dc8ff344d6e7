"""`gridtick curve` and what it draws, and the client's reads of curves."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from gridtick.cli import curve
from gridtick.cli.main import build
from gridtick.cli.plot import Step, drawn
from gridtick.client import Client

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
app = build(("curve",))


def _snapshot(session: str, *prices: str) -> str:
    points = ",".join(
        f'{{"start":"2026-0{month}-01T06:00:00Z","end":"2026-0{month + 1}-01T06:00:00Z","product":"month",'
        f'"price":{price},"kind":"settle","flags":[],"age":0,"inputs":["NG{month}"]}}'
        for month, price in enumerate(prices, 4)
    )
    refused = '{"inputs":["NG=F"],"price":9,"residual":null,"reason":"names no contract of the curve"}'
    return (
        f'{{"curve":"c","tenant":"public","session":"{session}","at":"{session}T22:00:00Z",'
        f'"known_at":"{session}T22:30:00Z","version":1,"partial":true,"unit":"USD/MMBtu","points":[{points}],"rejected":[{refused}],"complete":null}}'
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.URL]:
    """What an API was asked that knows the curve of two sessions."""
    found: list[httpx.URL] = []

    def handler(request: httpx.Request) -> httpx.Response:
        found.append(request.url)
        if request.url.path.endswith("/latest"):
            return httpx.Response(200, content=_snapshot("2026-03-03", "3", "-2.5"))
        day = request.url.params["start"]
        held = _snapshot(day, "3.25", "2") if day == "2026-03-02" else ""
        return httpx.Response(200, content=f'{{"data":[{held}],"next":null,"query":{{}}}}')

    @contextmanager
    def connected(_: Path) -> Generator[Client]:
        yield Client("http://api.test", KEY, transport=httpx.MockTransport(handler))

    monkeypatch.setattr(curve, "connected", connected)
    return found


def test_points_are_rows_and_the_rest_is_said(asked: list[httpx.URL]) -> None:
    done = CliRunner().invoke(app, ["curve", "c", "--against", "2026-03-02", "--format", "ndjson"])
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]
    assert [(row["price"], row["against"], row["change"]) for row in rows] == [
        (3, Decimal("3.25"), Decimal("-0.25")), (Decimal("-2.5"), 2, Decimal("-4.5")),
    ]  # fmt: skip
    assert "version 1, partial" in done.stderr
    assert "NG=F at 9: names no contract of the curve" in done.stderr
    assert asked[0].path == "/v1/curves/c/snapshots/latest"
    assert (asked[1].params["start"], asked[1].params["end"]) == ("2026-03-02", "2026-03-03")


def test_a_plot_and_a_picture(asked: list[httpx.URL], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "c.png"
    done = CliRunner().invoke(app, ["curve", "c", "--plot", "--png", str(path)])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("c of 2026-03-03, USD/MMBtu\n     3.000 ⠉")
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("day", ["2026-03-04", "yesterday"])
def test_a_session_that_is_none_is_refused(asked: list[httpx.URL], day: str) -> None:
    done = CliRunner().invoke(app, ["curve", "c", "--session", day])
    assert done.exit_code == 1
    assert day in str(done.exception)


def test_a_step_is_drawn_where_its_value_is() -> None:
    lines = drawn([[Step(0, 1, 10), Step(1, 2, 0)]], ["a", "b"])
    assert lines[0] == "    10.000 " + 36 * "⠉" + "⡆"
    assert lines[1:8] == [*lines[9:15], lines[1]] == 7 * [47 * " " + "⡇"]
    assert lines[8] == "     4.688 " + 36 * " " + "⡇"
    assert lines[15:] == ["     0.000 " + 36 * " " + "⣇" + 35 * "⣀", 11 * " " + "a" + 70 * " " + "b"]


def test_one_value_is_in_the_middle_and_a_gap_is_blank() -> None:
    lines = drawn([[Step(0, 1, 5), Step(2, 3, 5)]], ["a", "b"])
    assert lines[8] == "     4.938 " + 24 * "⠉" + 24 * " " + 24 * "⠉"


def test_the_client_pages_through_snapshots_with_exact_prices(asked: list[httpx.URL]) -> None:
    with curve.connected(Path()) as client:
        [one] = client.curves.over("c", start="2026-03-02", versions=True, granularity="quarter")
        assert one["points"][1]["price"] == Decimal(2)
        assert isinstance(one["points"][1]["price"], Decimal)
        assert isinstance(one["rejected"][0]["price"], Decimal)
    assert (asked[0].params["versions"], asked[0].params["granularity"]) == ("true", "quarter")
