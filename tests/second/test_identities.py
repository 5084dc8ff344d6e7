"""What must hold between the prices of a document, whoever reads it: the parts of a price, its energy, the hours."""

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest

from pipeline import members
from tests.second.kinds import PRICES, SHARED, kind_of, matching

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the exchanges' documents are not here (../shared/data/iso)"
)

# By how much the parts of a price may miss it: a derived one never does, averages of hours do.
MISSED = {
    "miso/*": "0",
    "nyiso/*": "0",
    "caiso/*": "0.0002",
    "pjm/da_hrl/*": "0.000001",
    "pjm/rt_5min/*": "0.000001",
    "pjm/rt_hrl/*": "0.01",
    "pjm/api_json/*": "0.01",
}
# By how much the energies of an interval may differ between its places: where it is derived, by rounding.
APART = {"miso/*": "0.02", "nyiso/*": "0.02", "caiso/*": "0.00001", "pjm/*": "0"}

# Days of a clock change, the hours between the first price of a place and the end of its last one, in days.
LASTING = {
    "caiso/dam/20181103_20181105_PRC_LMP_DAM.csv": 3 * 24 + 1,
    "caiso/dam/20190309_20190311_PRC_LMP_DAM_hubs.csv": 3 * 24 - 1,
    "ercot/dam_spp_api/np4-190_hb_north_202403_01_19.csv": 19 * 24 - 1,
    "ercot/dam_spp_api/np4-190_hubavg_2026-03-08.json": 23,
    "ercot/dam_zone_hub_xlsx/rpt.00013060.0000000000000000.DAMLZHBSPP_2024.xlsx": 366 * 24,
    "miso/da/20251102_da_expost_lmp_sample.csv": 24,
    "nyiso/dam/20251102damlbmp_zone_sample.csv": 25,
    "nyiso/rt_hourly/20250309rtlbmp_zone_sample.csv": 23,
    "pjm/da_hrl/da_hrl_lmps_pjm-rto_20250308_10.csv": 3 * 24 - 1,
    "pjm/rt_hrl/rt_hrl_lmps_pjm-rto_20240309_11.csv": 3 * 24 - 1,
    "pjm/rt_hrl/rt_hrl_lmps_pjm-rto_20241102_04.csv": 3 * 24 + 1,
}


def _ticks(document: str) -> pl.DataFrame:
    path = SHARED / document
    return members.read(path.read_bytes(), path.name, *kind_of(document).asked).ticks


@pytest.mark.parametrize(
    ("document", "most"), [(name, most) for pattern, most in MISSED.items() for name in matching(PRICES, [pattern])]
)
def test_a_price_is_the_sum_of_its_parts(document: str, most: str) -> None:
    ticks = _ticks(document).filter(pl.col("energy").is_not_null())
    ghg = pl.col("ghg").fill_null(0)
    missed = ticks.select(
        (pl.col("price") - pl.col("energy") - pl.col("congestion") - pl.col("loss") - ghg).abs().max()
    )
    assert ticks.height
    assert missed.item() <= Decimal(most)


@pytest.mark.parametrize(
    ("document", "most"), [(name, most) for pattern, most in APART.items() for name in matching(PRICES, [pattern])]
)
def test_an_interval_has_one_energy_everywhere(document: str, most: str) -> None:
    """But at points that the market does not price: OASIS gives base schedules of its neighbours 0 in every part."""
    priced = _ticks(document).filter((pl.col("price") != 0) | (pl.col("energy") != 0))
    energy = priced.group_by("product", "start", "version").agg(low=pl.min("energy"), high=pl.max("energy"))
    assert energy.select((pl.col("high") - pl.col("low")).max()).item() <= Decimal(most)


@pytest.mark.parametrize("document", LASTING)
def test_hours_follow_each_other_over_a_change_of_the_clock(document: str) -> None:
    ticks = _ticks(document).sort("instrument", "start")
    places = ticks.group_by("instrument").agg(
        hours=(pl.max("end") - pl.min("start")),
        rows=pl.len(),
        gaps=(pl.col("start").shift(-1) != pl.col("end")).sum(),
    )
    lasting = LASTING[document]
    assert places["gaps"].sum() == 0
    assert set(places["rows"]) == {lasting}
    assert set(places["hours"]) == {timedelta(hours=lasting)}
