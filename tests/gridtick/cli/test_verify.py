"""`gridtick verify` ends at Ctrl-C, whatever it is at."""

import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gridtick.cli import verify as command
from service.settings import load


@pytest.fixture(autouse=True)
def _ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _nothing(*_: Any) -> None:
    pass


async def _no_tables(_: Any) -> Any:
    return SimpleNamespace(tables={})


@pytest.fixture
def went_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was reached of a proof on stores that are not there."""
    stores = SimpleNamespace(close=_nothing)
    monkeypatch.setattr(command, "settings_of", lambda _: load({}))  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(command, "reached_kafka", _nothing)
    monkeypatch.setattr("verify.proof.check_instruments", _nothing)
    for step in ("strays", "spreads", "curves"):
        monkeypatch.setattr(f"verify.proof.check_{step}", _nothing)
    monkeypatch.setattr("db.reference.snapshot.read", _no_tables)
    for store in ("clickhouse", "redis"):
        monkeypatch.setattr(f"db.{store}.client.connect", lambda _: stores)  # pyright: ignore[reportUnknownLambdaType]
    return []


def _run() -> int:
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    return CliRunner().invoke(app, ["verify"]).exit_code


def test_while_it_reads_the_instruments(monkeypatch: pytest.MonkeyPatch, went_on: list[str]) -> None:
    def blocking(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        went_on.append("instruments")

    monkeypatch.setattr("verify.proof.check_instruments", blocking)
    assert _run() == 130
    assert went_on == []


def test_while_it_reads_the_topics(monkeypatch: pytest.MonkeyPatch, went_on: list[str]) -> None:
    async def blocking(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        went_on.append("topics")

    monkeypatch.setattr("verify.proof.check_positions", blocking)
    assert _run() == 130
    assert went_on == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
