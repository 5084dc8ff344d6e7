"""The second stage: reference data beside the ticks, and the instruments that are not registered yet.

What is stored and what bars depend on comes from the message alone: the joined columns serve outgoing events. They are
worked out once for each instrument and version of the reference (`pipeline.reference.known`), not for each tick.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from pipeline import products
from pipeline.reference.known import Tables, complete, known
from pipeline.schema import REFERENCE, conform

CLASS: Final = ("commodity", "region", "tier", "hub", "confidence")
JOINED: Final = ("unit", "currency", "zone", "complete", *CLASS)
_KEYS: Final = ["tenant", "instrument"]


@dataclass(frozen=True, slots=True)
class Enriched:
    """`ticks`: TICKS with `JOINED`; `unseen`: instruments without a reference row (`pipeline.schema.REFERENCE` without
    `name` and `first_seen`); `named`: `tenant, instrument, name, since` of names other than the reference's, each with
    the earliest interval here that was published under it.

    `complete` false: the reference lacks one of market, product, unit, currency, zone (`MISSING_METADATA`).
    """

    ticks: pl.DataFrame
    unseen: pl.DataFrame
    named: pl.DataFrame


def enrich(ticks: pl.DataFrame, reference: pl.DataFrame, tables: Tables, day: date) -> Enriched:
    """Joins the reference (`pipeline.reference.known.KNOWN`) of a day.

    An instrument that it does not hold gets what the registry knows of its market, and is classified by the tables.
    """
    # Of a reference of tens of thousands a batch needs few rows: they are found once, and not for each join.
    held = reference.join(ticks.select(_KEYS).unique(), on=_KEYS, how="semi")
    new = unseen(ticks, held)
    rows = pl.concat([held, known(conform(new, REFERENCE), tables, day)]).select(*_KEYS, *JOINED)
    joined = ticks.join(rows, on=_KEYS, how="left", maintain_order="left")
    return Enriched(joined, new, _named(ticks, held))


def unseen(ticks: pl.DataFrame, reference: pl.DataFrame) -> pl.DataFrame:
    """The instruments of ticks that the reference (`tenant, instrument`) does not hold, as `Enriched.unseen`."""
    first = ticks.join(reference, on=_KEYS, how="anti").unique(_KEYS, keep="first", maintain_order=True)
    markets = first.select(pl.col("market").unique())
    registered = [products.market(name) for name in markets["market"]]
    facts = markets.with_columns(
        pl.Series("unit", [market.unit for market in registered], dtype=pl.String),
        pl.Series("currency", [market.currency for market in registered], dtype=pl.String),
        pl.Series("zone", [_registered_zone(market.name) for market in registered], dtype=pl.String),
    )
    columns = first.select("tenant", "instrument", "market", "product", "location", "location_type")
    joined = columns.join(facts, on="market", how="left", maintain_order="left")
    return joined.with_columns(complete(joined))


def _named(ticks: pl.DataFrame, reference: pl.DataFrame) -> pl.DataFrame:
    # A batch on its way since before locations had names has no column for them.
    name = pl.col("location_name") if "location_name" in ticks.columns else pl.lit(None, dtype=pl.String)
    named = ticks.select(*_KEYS, "start", name=name).filter(pl.col("name").is_not_null())
    first = named.group_by(*_KEYS, "name").agg(since=pl.col("start").min())
    return first if first.is_empty() else first.join(reference, on=[*_KEYS, "name"], how="anti")


def _registered_zone(market: str) -> str | None:
    """The market's zone; null, not UTC, where nobody knows it."""
    return products.MARKETS[market].zone if market in products.MARKETS else None
