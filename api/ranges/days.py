"""Whose days `1d` bars are, and what cannot be exact in the zone that a caller asks for."""

from typing import Final

import polars as pl

from api import shapes
from api.problems import invalid
from api.query import BarsQuery
from api.ranges.local_time import MARKET, zones_of
from api.reads.ports import Window
from pipeline import blocks, zone_days
from pipeline.blocks import ATC, Block

_DAY: Final = "1d"


def with_days(reference: pl.DataFrame, ask: BarsQuery, block: Block | None, window: Window) -> pl.DataFrame:
    """The rows of the reference; where other days are asked for than those that are stored, or the block's, with the
    zone `days` of each. 422 where bars of a row cannot be put together to days of the zone."""
    if ask.interval != _DAY or ask.timezone is None or (ask.timezone == MARKET and block is None):
        return reference
    days = reference.with_columns(days=zones_of(reference, ask.timezone)["zone"])
    for name, market, product, zone in days.select("instrument", "market", "product", "days").iter_rows():
        _require_exact(name, shapes.finest_bar(market, product), zone, block, window)
    return days


def of_grid(reference: pl.DataFrame, block: Block | None) -> pl.DataFrame:
    """`tenant, instrument, market, product, zone`: whose day the `1d` bar of each row is."""
    own = zones_of(reference, MARKET)["zone"]
    names = [
        own[at] if block is None else blocks.zone_of(block, market) for at, market in enumerate(reference["market"])
    ]
    zone = pl.Series("zone", names, dtype=pl.String)
    given = reference.select(zone=pl.coalesce("days", zone))["zone"] if "days" in reference.columns else zone
    return reference.select("tenant", "instrument", "market", "product", given)


def block_to_read(reference: pl.DataFrame, block: Block | None) -> Block | None:
    """The block whose bars are read: whole days of another zone are those of all hours."""
    return ATC if block is None and "days" in reference.columns else block


def _require_exact(name: str, finest: str, zone: str, block: Block | None, window: Window) -> None:
    parts = zone_days.parts(zone, window.start, window.end)
    if parts is None:
        longest = f"{zone_days.LONGEST.total_seconds() / 3600:.0f} hours"
        raise invalid("timezone", f"{zone} skips a day, or has one of more than {longest}, in these years. Use UTC.")
    if parts == "1h":
        return
    if block is not None:
        raise invalid(
            "timezone", f"the days of {zone} cut the hours that a block is made of. Use a zone of full hours."
        )
    if shapes.is_finer(parts, finest):
        raise invalid("timezone", f"the days of {zone} cut the hours of {name}. Use a zone of full hours, or 1h bars.")
