"""`gridtick tail`: rows as they come, and what happens to the stream."""

import io
import json
import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from gridtick.cli import live, tail
from gridtick.cli.main import build
from gridtick.client import Client
from tests.client.streaming import KEY, Serve, Server, Talk, tick
from tests.polling import until

app = build(("tail", "ticks"))
FILL = "/v1/changes?since=x"


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What REST was asked; it has two changes."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": [tick(1), tick(2)], "next": None})

    @contextmanager
    def connected(_: Path) -> Generator[Client]:
        with Client("http://api.test", KEY, transport=httpx.MockTransport(answer)) as client:
            yield client

    monkeypatch.setattr(tail, "connected", connected)
    return asked


async def first(talk: Talk) -> None:
    """A gap, what is live, a log that cannot be read for a while, and an end."""
    await talk.welcome()
    await talk.gap("window", FILL)
    await talk.snapshot(10)
    await talk.caught_up(10)
    await talk.update(10, 11, tick(3))
    for state in ("waiting", "waiting", "live", "live"):
        await talk.send(type="heartbeat", server_time="s", state=state, known_until=None, subscriptions=[])
    await talk.close(1012, "restart")


async def second(talk: Talk) -> None:
    await talk.welcome()
    await talk.update(11, 12, tick(4), replayed=True)
    await talk.caught_up(12)
    await talk.update(12, 13, tick(5))
    await talk.rest()


def test_rows_are_lines_in_a_pipe_and_the_rest_is_said(serve: Serve) -> None:
    server = serve(first, second)
    done = CliRunner().invoke(app, ["tail", "A", "--channel", "ticks", "--policy", "close", "--limit", "4"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["price"] for row in rows] == [1, 2, 3, 4]
    said = done.stderr.splitlines()
    assert said[:4] == [
        "gridtick: A gap: this was away for longer than the server remembers. It is being filled.",
        "gridtick: The gap is filled: 2 rows.",
        "gridtick: Stalled: the server cannot read what lands.",
        "gridtick: It goes on: the server reads again.",
    ]
    assert said[4].startswith("gridtick: Interrupted: the server closed it: restart. Trying again in 0.")
    assert said[5:] == ["gridtick: Connected again."]
    told = {"op": "subscribe", "id": 1, "channel": "ticks", "instruments": ["A"], "policy": "close"}
    assert server.asked == [told, told | {"resume": "t11"}]


def test_history_ends_where_what_is_live_begins(serve: Serve) -> None:
    server = serve(second)
    given = ["--market", "caiso", "--product", "rt_5min", "--from", "2026-07-01T00:00:00Z", "--speed", "0"]
    done = CliRunner().invoke(app, ["tail", "--channel", "bars", "-i", "1h", *given, "--until-caught-up"])
    assert (done.exit_code, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")
    assert server.asked == [{
        "op": "subscribe", "id": 1, "channel": "bars", "filter": {"market": "caiso", "product": "rt_5min"},
        "interval": "1h", "from": "2026-07-01T00:00:00Z", "speed": 0.0,
    }]  # fmt: skip


async def silent(talk: Talk) -> None:
    await talk.welcome()
    await talk.rest()


def test_a_stall_is_gone_over(serve: Serve) -> None:
    serve(silent, second, heartbeat_s=0.05)
    done = CliRunner().invoke(app, ["tail", "A", "--limit", "1"])
    assert done.exit_code == 0
    assert done.stderr.startswith("gridtick: Interrupted: nothing came for 0.1 seconds, which are 2 heartbeats. Trying")


def test_ctrl_c_ends_it_with_0(serve: Serve) -> None:
    server = serve(silent)
    interrupt = threading.Thread(target=partial(_interrupt, server))
    interrupt.start()
    began = time.monotonic()
    done = CliRunner().invoke(app, ["tail", "A"])
    interrupt.join()
    assert (done.exit_code, done.output) == (0, "")
    assert time.monotonic() - began < 20  # else a heartbeat has woken it
    until(lambda: server.running == 0)


def _interrupt(server: Server) -> None:
    until(lambda: len(server.asked) == 1)
    os.kill(os.getpid(), signal.SIGINT)


async def unknown(talk: Talk) -> None:
    await talk.welcome()
    errors = [{"instrument": name, "code": "not-found", "detail": "There is none."} for name in ("A", "B")]
    await talk.send(type="subscribed", id=1, subscriptions=[], errors=errors)
    await talk.update(None, 1, tick(1))
    await talk.rest()


def test_instruments_that_are_not_there_are_said_and_without_any_it_ends(serve: Serve) -> None:
    serve(unknown)
    done = CliRunner().invoke(app, ["tail", "A", "B"])
    assert (done.exit_code, done.stderr) == (1, "gridtick: A: There is none.\ngridtick: B: There is none.\n")
    assert CliRunner().invoke(app, ["tail", "A", "B", "C", "--limit", "1"]).exit_code == 0


def test_what_contradicts_itself_is_a_sentence() -> None:
    done = CliRunner().invoke(app, ["tail"])
    assert "instruments or of a market" in str(done.exception)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(*rows: dict[str, Any], terminal: bool = False) -> list[str]:
    out = Terminal() if terminal else io.StringIO()
    live.shower(out, as_table=True)(rows)
    return out.getvalue().splitlines()


def _price(price: str | None, **more: Any) -> dict[str, Any]:
    return tick(1) | {"price": None if price is None else Decimal(price), "flags": ["VALID"], "unit": "USD/MWh"} | more


def test_a_table_is_aligned_and_says_what_is_unusual() -> None:
    late = _price("-1.000000001", revision=2, flags=["VALID", "LATE_ARRIVAL"], instrument="A[red]")
    assert _shown(_price("31.500000000"), late, _price(None, interval_start=None)) == [
        f"2026-07-01T00:01:00Z  {'A':28}  {'31.5':>14}  USD/MWh",
        f"2026-07-01T00:01:00Z  {'A[red]':28}  {'-1.000000001':>14}  USD/MWh  revision 2  LATE_ARRIVAL",
        f"{'-':20}  {'A':28}  {'-':>14}  USD/MWh",
    ]
    bar = {
        "instrument": "A" * 40, "interval": "15m", "start": "2026-07-01T00:00:00Z", "revision": 0, "is_final": True,
        "flags": [], "tenant": "t", **{name: Decimal(n) for n, name in enumerate(("open", "high", "low", "close"))},
    }  # fmt: skip
    curve = {"curve": "c", "session": "2026-07-01", "version": 3, "points": [1, 2]}
    assert _shown(bar, curve) == [
        f"2026-07-01T00:00:00Z  {'A' * 40}  15m  {0:14}  {1:14}  {2:14}  {3:14}  final",
        f"{'2026-07-01':20}  {'c':40}  2 points, version 3",
    ]


def test_a_terminal_shows_where_a_price_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    red, green = "\x1b[31m", "\x1b[32m"
    lines = _shown(_price("2"), _price("3"), _price("3"), _price("1"), _price("9", instrument="B"), terminal=True)
    assert [(red in line, green in line) for line in lines] == [
        (False, False), (False, True), (False, False), (True, False), (False, False),
    ]  # fmt: skip
    assert "\x1b" not in "".join(_shown(_price("2"), _price("3")))


def test_a_terminal_gets_a_table_and_a_pipe_json(serve: Serve) -> None:
    serve(second)
    done = CliRunner().invoke(app, ["tail", "A", "--limit", "1", "--format", "table"])
    assert done.stdout.startswith("2026-07-01T00:04:00Z  A ")


def test_the_help_has_an_example() -> None:
    assert "Example: gridtick tail caiso" in " ".join(CliRunner().invoke(app, ["tail", "--help"]).stdout.split())
