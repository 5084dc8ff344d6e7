"""Hours of real documents, checked by hand: the project's own definitions over them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from pipeline import members
from pipeline.bars import touched
from pipeline.flags import flagged
from pipeline.schema import SEEN, TICKS, conform
from pipeline.spreads.cells import cells
from pipeline.spreads.definitions import of_row
from pipeline.spreads.derive import derive
from pipeline.spreads.plan import plan_of
from tests.pipeline.spreads.making import calendars, published
from tests.pipeline.spreads.test_checks import own

SAMPLES: Final = Path(__file__).parents[3].parent / "shared" / "data" / "iso"
HOUR: Final = datetime(2025, 5, 1, 21, tzinfo=UTC)


def ticks(name: str, offset: int) -> pl.DataFrame:
    """A shared document as one message; the test is skipped where there is none."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"{path.name} is not on this machine")
    read = members.read(path.read_bytes(), path.name, None, None).ticks
    known = datetime(2025, 6, 1, offset, tzinfo=UTC)
    return as_seen(read, offset=offset, known_at=known)


def as_seen(read: pl.DataFrame, offset: int, known_at: datetime) -> pl.DataFrame:
    whole = read.with_columns(
        tenant=pl.lit("public"), source_rank=pl.lit(0), event_id=pl.lit(""), source=pl.lit("test"),
        known_at=pl.lit(known_at), topic_id=pl.lit("t"), partition=pl.lit(0), offset=pl.lit(offset),
        parser_version=pl.lit(3),
    )  # fmt: skip
    marked = flagged(whole)
    return conform(marked.select([name for name in SEEN if name in marked.columns]), SEEN)


def values(spread: str, seen: pl.DataFrame) -> pl.DataFrame:
    (row,) = [each for each in own() if each["spread"] == spread]
    plan = plan_of([of_row(row)], calendars())
    return derive(plan, cells(plan, touched(seen.select(list(TICKS)))), seen)


def at_hour(spread: str, seen: pl.DataFrame) -> Mapping[str, Any]:
    (found,) = values(spread, seen).filter(pl.col("start") == HOUR).to_dicts()
    return found


def test_a_dart_of_western_hub() -> None:
    day_ahead, real_time = (
        ticks("pjm/da_hrl/da_hrl_lmps_hubs_20250501_03.csv", 0),
        ticks("pjm/rt_hrl/rt_hrl_lmps_hubs_20250501_03.csv", 1),
    )
    found = at_hour("dart.pjm_western_hub", pl.concat([day_ahead, real_time]))
    assert found["price"] == Decimal("66.677576") - Decimal("172.600812") == Decimal("-105.923236")
    assert found["offset"] == 1


def test_a_basis_of_eastern_hub_with_congestion_and_loss_apart() -> None:
    found = at_hour("basis.pjm_eastern_hub_da", ticks("pjm/da_hrl/da_hrl_lmps_hubs_20250501_03.csv", 0))
    assert found["price"] == Decimal("-37.320241")
    assert (found["energy"], found["congestion"]) == (0, Decimal("-37.840923"))
    assert found["loss"] == Decimal("0.520682")


def test_a_real_time_hour_of_ercot_is_the_mean_of_its_quarters() -> None:
    """The workbook has no day-ahead prices: against one of 0, the value is the mean with its sign turned."""
    quarters = ticks("ercot/rtm_zone_hub_xlsx/RTMLZHBSPP_2010.xlsx", 0).filter(
        pl.col("instrument") == "ercot.rt_15min.HB_NORTH"
    )
    start = quarters["start"].min()
    assert isinstance(start, datetime)
    prices = quarters.filter(pl.col("start").is_between(start, start.replace(minute=45)))["price"].to_list()
    assert len(prices) == 4
    zero = pl.DataFrame([published("ercot.da_hourly.HB_NORTH", start, "0")], schema=dict(SEEN), orient="row")
    found = values("dart.ercot_hb_north", pl.concat([quarters, zero]))
    (price,) = found.filter(pl.col("start") == start)["price"].tail(1).to_list()
    mean = Fraction(sum(map(Fraction, prices)), 4)
    assert price == -Decimal(round(mean * 10**9)).scaleb(-9)


def test_gas_of_the_flow_date_against_real_power() -> None:
    """Henry Hub of 30 April flows on 1 May: the spark spread of the hour is power − 7 × gas."""
    power = ticks("pjm/da_hrl/da_hrl_lmps_hubs_20250501_03.csv", 0)
    traded = datetime(2025, 4, 30, tzinfo=UTC)
    gas = pl.DataFrame([published("henry_hub.spot.HENRY_HUB", traded, "3.25")], schema=dict(SEEN), orient="row")
    found = at_hour("spark.pjm_western_hub_7", pl.concat([power, gas]))
    assert found["price"] == Decimal("66.677576") - 7 * Decimal("3.25")
