"""The means of PJM's Western Hub in and out of peak, of the exchange's own documents: no store is needed."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from pipeline import blocks
from pipeline.normalize import normalize
from tests.pipeline import making

SHARED = Path(blocks.__file__).parents[2] / "shared" / "data" / "iso" / "pjm"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="PJM's documents are not here (../shared/data/iso/pjm)")


@pytest.mark.parametrize(
    ("name", "instrument", "block", "mean"),
    [
        ("da_hrl/da_hrl_lmps_hubs_20250501_03.csv", "pjm.da_hourly.51288", "atc", "41.665282"),
        ("da_hrl/da_hrl_lmps_hubs_20250501_03.csv", "pjm.da_hourly.51288", "peak", "47.990463"),
        ("rt_hrl/rt_hrl_lmps_hubs_20250501_03.csv", "pjm.rt_hourly.51288", "atc", "64.346639"),
        ("rt_hrl/rt_hrl_lmps_hubs_20250501_03.csv", "pjm.rt_hourly.51288", "peak", "82.925108"),
    ],
)
def test_western_hub_on_the_first_of_may_2025(name: str, instrument: str, block: str, mean: str) -> None:
    content = (SHARED / name).read_text()
    sent = making.document(content, market="pjm", name=Path(name).name)
    ticks = normalize(making.batch(sent), "public").ticks.filter(pl.col("instrument") == instrument)
    day = ticks["start"].dt.convert_time_zone("America/New_York").dt.date() == date(2025, 5, 1)
    prices = ticks.filter(day & blocks.within(ticks["start"], block, "pjm"))["price"].to_list()
    exact = sum((Fraction(price) for price in prices), Fraction(0)) / len(prices)
    assert Decimal(round(exact * 10**6)).scaleb(-6) == Decimal(mean)
