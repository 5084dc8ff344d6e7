"""What `gridtick status` says of each product."""

from datetime import timedelta

import pytest

from gridtick.cli import status as command
from local import completeness
from local.completeness import Completeness
from service import clock
from service.settings import load
from tests.api.fakes import START

FIVE = timedelta(minutes=5)


def _shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: list[Completeness]) -> list[str]:
    monkeypatch.setattr(clock, "now", lambda: START + 3 * FIVE)
    monkeypatch.setattr(completeness, "completeness", lambda *_: found)  # pyright: ignore[reportUnknownLambdaType]
    assert command._products(load({}))  # pyright: ignore[reportPrivateUsage]
    return capsys.readouterr().out.splitlines()


def test_each_product_has_its_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    known = START + 3 * FIVE - timedelta(seconds=12.34)
    found = [
        Completeness("caiso", "rt_5min", 16_600, START, known, "late", 1000, 7),
        Completeness("ercot", "da_hourly", 1, START, None, "live", 24, 0),
        Completeness("power", "tick", 2, START, known, "stale", None, None),
    ]
    lines = _shown(monkeypatch, capsys, found)
    assert [" ".join(line.split()) for line in lines] == [
        "caiso.rt_5min late newest 2026-07-01T00:00:00Z, known 12.3 s ago; 16600 instruments, "
        "7 missing of 1000 expected today by now",
        "ercot.da_hourly live newest 2026-07-01T00:00:00Z; 1 instrument, none missing of 24 expected today by now",
        "power.tick stale newest 2026-07-01T00:00:00Z, known 12.3 s ago; 2 instruments, no intervals promised",
    ]


def test_a_store_that_is_away_is_said_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_: object) -> list[Completeness]:
        raise OSError("refused")

    monkeypatch.setattr(completeness, "completeness", away)
    products = command._products  # pyright: ignore[reportPrivateUsage]
    assert not command._asked("products", products, load({}))  # pyright: ignore[reportPrivateUsage]
    assert capsys.readouterr().out.split() == ["products", "unknown:", "refused"]
