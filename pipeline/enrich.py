"""The second stage: reference data beside the ticks, and the instruments that are not registered yet.

What is stored and what bars depend on comes from the message alone: the joined columns serve outgoing events.
Further reference data (a taxonomy) is another join of `Enriched.ticks` by instrument.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline import products

_KNOWN: Final = ("unit", "currency", "zone")
_NEEDED: Final = ("market", "product", *_KNOWN)


@dataclass(frozen=True, slots=True)
class Enriched:
    """`ticks`: TICKS with `unit, currency, zone, complete`; `unseen`: instruments without a reference row
    (`pipeline.schema.REFERENCE` without `name` and `first_seen`); `named`: `tenant, instrument, name, since` of names
    other than the reference's, each with the earliest interval here that was published under it.

    `complete` false: the reference lacks one of market, product, unit, currency, zone (`MISSING_METADATA`).
    """

    ticks: pl.DataFrame
    unseen: pl.DataFrame
    named: pl.DataFrame


def enrich(ticks: pl.DataFrame, reference: pl.DataFrame) -> Enriched:
    """Join the reference (`instrument, name, unit, currency, zone, complete`; `tenant` where rows are a tenant's own).

    An instrument that it does not hold gets what the registry knows of its market.
    """
    keys = ["tenant", "instrument"] if "tenant" in reference.columns else ["instrument"]
    held = reference.select(*keys, *_KNOWN, "complete").unique(keys, keep="last", maintain_order=True)
    unseen = _unseen(ticks.join(held, on=keys, how="anti"))
    known = pl.concat([held, unseen.select(held.columns)], how="vertical_relaxed").unique(keys, keep="first")
    joined = ticks.join(known, on=keys, how="left", maintain_order="left")
    return Enriched(joined, unseen, _named(ticks, reference, keys))


def _named(ticks: pl.DataFrame, reference: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    # A batch on its way since before locations had names has no column for them.
    name = pl.col("location_name") if "location_name" in ticks.columns else pl.lit(None, dtype=pl.String)
    named = ticks.select("tenant", "instrument", "start", name=name).filter(pl.col("name").is_not_null())
    first = named.group_by("tenant", "instrument", "name").agg(since=pl.col("start").min())
    return first if first.is_empty() else first.join(reference.select(*keys, "name"), on=[*keys, "name"], how="anti")


def _unseen(ticks: pl.DataFrame) -> pl.DataFrame:
    first = ticks.unique(["tenant", "instrument"], keep="first", maintain_order=True)
    markets = first.select(pl.col("market").unique())
    known = [products.market(name) for name in markets["market"]]
    facts = markets.with_columns(
        pl.Series("unit", [market.unit for market in known], dtype=pl.String),
        pl.Series("currency", [market.currency for market in known], dtype=pl.String),
        pl.Series("zone", [_registered_zone(market.name) for market in known], dtype=pl.String),
    )
    return (
        first.select("tenant", "instrument", "market", "product", "location", "location_type")
        .join(facts, on="market", how="left", maintain_order="left")
        .with_columns(complete=pl.all_horizontal(pl.col(name).is_not_null() for name in _NEEDED))
    )


def _registered_zone(market: str) -> str | None:
    """The market's zone; null, not UTC, where nobody knows it."""
    return products.MARKETS[market].zone if market in products.MARKETS else None
