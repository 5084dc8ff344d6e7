"""The reading commands ask the API for what was asked of them, and say what is provisional."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import polars as pl
import pytest
from typer.testing import CliRunner

from api.formats.writers import whole
from gridtick.cli import bars, latest, ticks
from gridtick.cli.main import build
from gridtick.client import Client

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
AT = "2026-07-01T00:00:00Z"
ROW = '{"instrument":"A","price":1.5}'
FRAME = pl.DataFrame({"instrument": ["A"], "price": [Decimal("1.5")]}, schema_overrides={"price": pl.Decimal(18, 9)})
ARROW = whole("arrow", FRAME, decimals_as_text=False)
app = build(("ticks", "bars", "latest"))
Asked = list[httpx.QueryParams]
Answering = Callable[[str], Asked]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """An API that gives one row and these further members; what it was asked."""

    def of(members: str) -> Asked:
        asked: Asked = []
        complete = "false" if '"complete":false' in members else "true" if "complete" in members else ""

        def handler(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.params)
            if request.url.params.get("format") == "arrow":
                return httpx.Response(200, content=ARROW, headers={"Gridtick-Complete": complete})
            return httpx.Response(200, content=f'{{"data":[{ROW}],"next":null,{members}"query":{{}}}}')

        @contextmanager
        def connected(_: Path) -> Generator[Client]:
            yield Client("http://api.test", KEY, transport=httpx.MockTransport(handler))

        for module in (bars, latest, ticks):
            monkeypatch.setattr(module, "connected", connected)
        return asked

    return of


@pytest.mark.parametrize("command", [["ticks", "A"], ["bars", "A"], ["latest", "A"]])
@pytest.mark.parametrize(("members", "provisional"), [('"complete":false,', True), ('"complete":true,', False)])
def test_what_was_known_at_an_instant(
    answering: Answering, command: list[str], members: str, provisional: bool
) -> None:
    asked = answering(members)
    done = CliRunner().invoke(app, [*command, "--as-of", AT, "--format", "ndjson"])
    assert (done.exit_code, done.stdout) == (0, ROW + "\n")
    assert ("Provisional" in done.stderr) is provisional
    assert [params["as_of"] for params in asked] == [AT]


@pytest.mark.parametrize("command", ["ticks", "bars", "latest"])
@pytest.mark.parametrize(("members", "provisional"), [('"complete":false,', True), ('"complete":true,', False)])
def test_a_file_of_what_was_known(answering: Answering, command: str, members: str, provisional: bool) -> None:
    """Ticks and bars come as columns then, the latest prices row by row."""
    asked = answering(members)
    done = CliRunner().invoke(app, [command, "A", "--as-of", AT, "--format", "csv"])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].startswith("A,")
    assert ("Provisional" in done.stderr) is provisional
    assert [params.get("format") for params in asked] == [None if command == "latest" else "arrow"]


@pytest.mark.parametrize("command", [["ticks", "A"], ["bars", "A"], ["latest", "A"]])
def test_what_is_known_now(answering: Answering, command: list[str]) -> None:
    asked = answering("")
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.stderr) == (0, "")
    assert asked[0].keys().isdisjoint({"as_of", "revisions"})


def test_every_revision(answering: Answering) -> None:
    asked = answering("")
    assert CliRunner().invoke(app, ["ticks", "A", "--revisions"]).exit_code == 0
    assert asked[0]["revisions"] == "true"


def test_bars_of_a_block(answering: Answering) -> None:
    asked = answering("")
    done = CliRunner().invoke(app, ["bars", "A", "--interval", "1d", "--block", "peak"])
    assert done.exit_code == 0
    assert [params["block"] for params in asked] == ["peak"]


@pytest.mark.parametrize("command", [["ticks", "A"], ["bars", "A", "--fill", "hold"], ["latest", "A"]])
def test_local_times_and_filled_buckets(answering: Answering, command: list[str]) -> None:
    """A table shows local times instead of UTC; a file has both, and only where they were asked for."""
    asked = answering("")
    table = CliRunner().invoke(app, [*command, "--timezone", "market", "--format", "table"])
    assert (table.exit_code, "start_local" in table.stdout) == (0, True)
    assert "interval_start " not in table.stdout.replace("interval_start_local", "")
    assert [params["timezone"] for params in asked] == ["market"]
    assert [params.get("fill") for params in asked] == ["hold" if "--fill" in command else None]
    both = (
        CliRunner().invoke(app, [*command, "--timezone", "market", "--format", "csv"]).stdout.splitlines()[0].split(",")
    )
    plain = CliRunner().invoke(app, [*command[:2], "--format", "csv"]).stdout.splitlines()[0].split(",")
    start, end = ("start", "end") if command[0] == "bars" else ("interval_start", "interval_end")
    filled = {"filled"} if "--fill" in command else set[str]()
    assert set(both) - set(plain) == {f"{start}_local", f"{end}_local"} | filled
    assert {start, end} <= set(plain)
