"""Commodity, region and tier of instruments, worked out once for a version of the reference and a day."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from pipeline.schema import PRICE, Schema, conform
from pipeline.taxonomy import claims, confidence, rules
from pipeline.taxonomy.terms import ATTRIBUTES

CLASSIFIED: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "commodity": pl.String(),  # null: not known
    "region": pl.String(),
    "tier": pl.String(),
    "hub": pl.String(),  # location of its hub in the same market
    "load_zone": pl.String(),
    "unit": pl.String(),
    "currency": pl.String(),
    "zone": pl.String(),  # time zone
    "contract_size": PRICE,
    "tick_size": PRICE,
    "confidence": pl.Decimal(3, 2),  # 0 to 1, see `pipeline.taxonomy.confidence`
    "reason": pl.String(),  # how the confidence comes about
}


def classify(instruments: pl.DataFrame, tables: Mapping[str, pl.DataFrame], day: date) -> pl.DataFrame:
    """`CLASSIFIED`, one row an instrument in the order given, by what holds on `day`.

    `instruments`: `tenant, instrument, market, product, location, location_type, name, unit, currency, zone`.
    `tables`: `taxonomy_rules, locations, instrument_facts, contracts` of the reference, all tenants' rows.
    Facts speak first, then a location of its region, then rules; in each a tenant's own before public ones.

    What the confidence is, `confidence.judged` says.
    """
    placed = instruments.with_columns(location=_PLACE)
    facts = claims.of_facts(placed, claims.valid(tables["instrument_facts"], day))
    places = claims.of_locations(placed, claims.valid(tables["locations"], day))
    ruled = claims.of_rules(placed, rules.read(claims.valid(tables["taxonomy_rules"], day)))
    said = instruments.select("tenant", "instrument").hstack([
        *_merged(ATTRIBUTES, facts, places, ruled),
        *_merged([name + suffix for name in ATTRIBUTES for suffix in _ABOUT], facts, places, ruled),
        *_merged(("unit", "currency", "zone"), facts, instruments),
        *_merged(("contract_size", "tick_size"), facts, _contracts(placed, tables["contracts"])),
        *places.select("hub", "load_zone").iter_columns(),
        *instruments.select("market", "product").iter_columns(),
    ])  # fmt: skip
    return conform(confidence.judged(said).select(CLASSIFIED.keys()), CLASSIFIED)


# A generic tick has no location: its place is what its id says behind market and product, if it says them.
_PLACE: Final = pl.coalesce("location", pl.col("instrument").str.strip_prefix(pl.format("{}.{}.", "market", "product")))
_ABOUT: Final = (" points", " by", " confirmed")


def _merged(names: list[str] | tuple[str, ...], *layers: pl.DataFrame) -> list[pl.Series]:
    """Each column from the first layer that says something; one that no layer has is null."""
    return [_first(name, [layer[name] for layer in layers if name in layer.columns]) for name in names]


def _first(name: str, found: list[pl.Series]) -> pl.Series:
    return pl.select(pl.coalesce(*found).alias(name)).to_series()


def _contracts(placed: pl.DataFrame, contracts: pl.DataFrame) -> pl.DataFrame:
    """`contract_size, tick_size` of the contracts that instruments are prices of."""
    sized = contracts.rename({"contract": "location", "size": "contract_size", "tick": "tick_size"})
    return claims.cells(placed, sized, ["market", "location"], ["contract_size", "tick_size"])
