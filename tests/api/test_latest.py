from datetime import timedelta

import polars as pl
import pytest

from api.latest import chosen as latest
from api.reads.ports import Mode
from api.reads.register import TICK
from pipeline.schema import conform
from tests.api import fakes

NOW = fakes.START + timedelta(minutes=30)
HOUR = timedelta(hours=1)
DAY_AHEAD = "caiso.da_hourly.NODE"


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return conform(pl.DataFrame(list(rows), schema={name: TICK[name] for name in rows[0]}), TICK)


def newest() -> pl.DataFrame:
    tomorrow = fakes.START + 24 * HOUR
    return frame(
        fakes.tick(DAY_AHEAD, tomorrow, "3", end=tomorrow + HOUR),
        fakes.tick(fakes.NODE, fakes.START, "1"),
        fakes.tick(fakes.GAS, fakes.START, "2", end=None),
    )


@pytest.mark.parametrize(
    ("mode", "ending", "endless"),
    [(None, [DAY_AHEAD], []), ("newest", [], []), ("in_force", [DAY_AHEAD, fakes.NODE], [fakes.GAS])],
)
def test_only_what_is_asked_for_is_looked_up(mode: Mode | None, ending: list[str], endless: list[str]) -> None:
    found = latest.may_be_in_force(newest(), mode, NOW)
    assert found.ending["instrument"].sort().to_list() == ending
    assert found.endless["instrument"].to_list() == endless
    assert found.ahead.is_empty()


def test_of_a_price_without_an_end_that_lies_ahead_the_one_before_is_looked_up() -> None:
    found = latest.may_be_in_force(newest(), "in_force", fakes.START - HOUR)
    assert found.endless.is_empty()
    assert found.ahead["instrument"].to_list() == [fakes.GAS]


def test_a_price_that_was_found_is_of_the_tenant_for_which_it_was_looked_up() -> None:
    mine, other = (fakes.tick(fakes.GAS, fakes.START, price, tenant) for price, tenant in (("1", "mine"), ("2", "b")))
    assert latest.of_same(frame(mine, other), frame(mine)).equals(frame(mine))


def shown(held: pl.DataFrame, mode: Mode | None) -> dict[str, tuple[str, str]]:
    rows = latest.chosen(newest(), held, mode).select("instrument", pl.col("price").cast(pl.Int64), "mode").rows()
    return {name: (str(price), chosen) for name, price, chosen in rows}


def test_what_is_in_force_hides_the_newest_of_its_instrument_alone() -> None:
    held = frame(fakes.tick(DAY_AHEAD, fakes.START, "7", end=fakes.START + HOUR))
    others = {fakes.NODE: ("1", "newest"), fakes.GAS: ("2", "newest")}
    assert shown(held, None) == {DAY_AHEAD: ("7", "in_force"), **others}
    assert shown(held, "in_force") == {DAY_AHEAD: ("7", "in_force")}
    assert shown(held.clear(), None) == {DAY_AHEAD: ("3", "newest"), **others}
