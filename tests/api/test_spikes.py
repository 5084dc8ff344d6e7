"""The days that say what volume is usual are read as seldom as they can be."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from api.ranges.spikes import Spikes
from api.reads.ports import Page
from pipeline.flags import Flag
from tests.api import fakes
from tests.api.test_as_of import bar

DAY = timedelta(days=1)


def rows(*names: str, at: timedelta = timedelta(0)) -> pl.DataFrame:
    made = [fakes.tick(name, fakes.START + at, "3", volume=Decimal(101)) for name in names]
    return pl.DataFrame(made, schema_overrides={"flags": pl.UInt32(), "volume": pl.Decimal(18, 9)})


async def test_days_that_are_there_are_not_read_again(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    bars = reads.bars

    async def told(tenants: Any, names: Any, interval: Any, window: Any) -> Page:
        asked.append(list(names))
        return await bars(tenants, names, interval, window)

    monkeypatch.setattr(reads, "bars", told)
    days = [bar(fakes.START + at, fakes.START, count) for at, count in ((-DAY, 100), (timedelta(0), 2))]
    reads.bar_rows = [each | {"interval": "1d", "volume": Decimal(10 * int(str(each["count"])))} for each in days]
    kept, both = Spikes(), sorted([fakes.GAS, fakes.NODE])
    parts = [rows(*both), rows(fakes.NODE), rows(fakes.GAS), rows(fakes.GAS, at=DAY), rows(*both, at=DAY)]
    flags = [(await kept.flagged(reads, ["public"], part))["flags"].to_list() for part in parts]
    assert asked == [both, [fakes.GAS], both]
    usual, spike = int(Flag.VALID), int(Flag.VALID | Flag.VOLUME_SPIKE)
    assert flags[:3] == [[spike, usual], [usual], [spike]]


async def test_all_days_are_looked_at(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many instruments there are: a page of days may end before those of the last one."""
    reads.bar_rows = [
        bar(fakes.START + at, fakes.START, 100) | {"interval": "1d", "volume": Decimal(1000), "instrument": f"N{n}"}
        for n in range(9)
        for at in (-DAY, timedelta(0))
    ]
    monkeypatch.setattr("api.ranges.spikes.MAX_LIMIT", 4)
    found = await Spikes().flagged(reads, ["public"], rows(*(f"N{n}" for n in range(9))))
    assert set(found["flags"]) == {int(Flag.VALID | Flag.VOLUME_SPIKE)}
