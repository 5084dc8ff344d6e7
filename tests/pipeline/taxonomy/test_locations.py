"""The locations that are shipped: whole in themselves, and against the exchanges' documents."""

from pathlib import Path

import polars as pl
import pytest

from pipeline import members, products, taxonomy
from pipeline.taxonomy.terms import KINDS
from tests.pipeline.taxonomy import tables

SHARED = Path(__file__).parents[4] / "shared" / "data"
LOCATIONS = tables.shipped("locations")
DOCUMENTS = (
    "caiso/dam/20200101_20200101_PRC_LMP_DAM_all_nodes.zip",
    "ercot/dam_zone_hub_xlsx/rpt.00013060.0000000000000000.DAMLZHBSPP_2024.xlsx",
    "miso/da/20110716_da_lmp_full.csv",
    "nyiso/dam/20220718damlbmp_zone.csv",
    "pjm/da_hrl/da_hrl_lmps_hubs_20250501_03.csv",
)
HELD = {  # what of a document every hub, zone and interface is
    "caiso": pl.col("location").str.contains("^(?:TH|DLAP|SLAP|ELAP)_"),
    "ercot": pl.col("location").str.contains("^(?:HB|LZ|DC)_"),
    "miso": pl.col("location").str.ends_with(".HUB") | (pl.col("location_type") == "Interface"),
    "nyiso": pl.col("location_type") == "zone",
    "pjm": pl.col("location_type").is_in(["HUB", "ZONE"]),
}

documents = pytest.mark.skipif(not SHARED.is_dir(), reason="the exchanges' documents are not here (../shared/data)")


def test_every_row_is_whole() -> None:
    assert LOCATIONS.select("market", "location").is_unique().all()
    assert set(LOCATIONS["kind"]) <= KINDS
    assert set(LOCATIONS["market"]) <= set(products.MARKETS)
    assert LOCATIONS.select("kind", "region", "source").null_count().row(0) == (0, 0, 0)
    assert LOCATIONS.equals(LOCATIONS.sort("market", "location"))


def test_hubs_are_trading_hubs_and_zones_load_zones_of_the_market() -> None:
    kinds = {(row["market"], row["location"]): row["kind"] for row in LOCATIONS.iter_rows(named=True)}
    for market, hub in LOCATIONS.filter(pl.col("hub").is_not_null()).select("market", "hub").iter_rows():
        assert kinds[market, hub] == "trading_hub"
    for market, zone in LOCATIONS.filter(pl.col("zone").is_not_null()).select("market", "zone").iter_rows():
        assert kinds[market, zone] in {"load_zone", "dlap"}


@documents
def test_no_known_location_is_missing() -> None:
    known = pl.read_csv(SHARED / "reference" / "locations.csv", infer_schema=False)
    assert known.height == 95
    assert known.join(LOCATIONS, on=["market", "location"], how="anti")["location"].to_list() == []


@documents
@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_hold_no_other_hub_zone_or_interface_and_are_classified(document: str) -> None:
    path = SHARED / "iso" / document
    ticks = members.read(path.read_bytes(), path.name, None, None).ticks
    of = ticks.select("instrument", "market", "product", "location", "location_type").unique("instrument")
    held = of.filter(HELD[Path(document).parts[0]])
    assert held.height > 10
    assert held.join(LOCATIONS, on=["market", "location"], how="anti")["location"].to_list() == []
    found = taxonomy.classify(tables.instruments(of), tables.own(), tables.DAY)
    assert found.select("commodity", "tier").unique().rows() == [("power", "day_ahead")]
    assert found.filter(pl.col("confidence") < 0.8)["reason"].to_list() == []
