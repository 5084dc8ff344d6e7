"""The difference of any two instruments, computed as it is read."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import polars as pl

from api.problems import invalid
from api.ranges import slices
from api.reads.ports import Page, Reads, Window
from api.values import MAX_LIMIT
from pipeline import flags, products
from pipeline.schema import SCALE
from pipeline.shown import flag_names

Row = Mapping[str, Any]  # of the reference
_AMOUNTS: Final = ("price", "energy", "congestion", "loss")
_SUM: Final = pl.Decimal(38, SCALE)


def require_alike(node: Row, hub: Row) -> None:
    """422 where their prices are not of the same intervals and unit."""
    if node["instrument"] == hub["instrument"]:
        raise invalid("hub", "is the instrument itself.")
    of, beside = (products.product(each["market"], each["product"]).interval for each in (node, hub))
    if of is None or of != beside:
        raise invalid("hub", f"has prices of {beside or 'instants'}, the instrument of {of or 'instants'}.")
    if node["unit"] != hub["unit"]:
        raise invalid("hub", f"is priced in {hub['unit']}, the instrument in {node['unit']}.")


async def basis(reads: Reads, node: Row, hub: Row, window: Window, known: datetime | None) -> Page:
    """Rows of the intervals of which both have a usable price."""
    page = await reads.ticks([node["tenant"]], [node["instrument"]], window, known)
    if page.rows.is_empty():
        return Page(_differences(page.rows, page.rows, node, hub), page.following)
    first, last = page.rows["start"][0], page.rows["start"][-1]
    of_hub = partial(reads.ticks, [hub["tenant"]], [hub["instrument"]], known=known)
    beside = await slices.whole(of_hub, Window(first, last + timedelta(microseconds=1), None, MAX_LIMIT))
    rows = await to_thread(_differences, page.rows, beside, node, hub)
    return Page(rows, page.following)


def _differences(first: pl.DataFrame, second: pl.DataFrame, node: Row, hub: Row) -> pl.DataFrame:
    both = _usable(first).join(_usable(second), on=["start", "end"], maintain_order="left", suffix="_hub")
    within = node["market"] == hub["market"]
    shown: Sequence[str] = _AMOUNTS if within else _AMOUNTS[:1]
    wide = [(pl.col(name).cast(_SUM) - pl.col(f"{name}_hub").cast(_SUM)).alias(name) for name in shown]
    none = [pl.lit(None, _SUM).alias(name) for name in _AMOUNTS if name not in shown]
    bits = both.select(pl.col("flags") | pl.col("flags_hub")).to_series()
    return both.select(
        pl.lit(node["instrument"]).alias("instrument"),
        pl.lit(hub["instrument"]).alias("hub"),
        pl.col("start").alias("interval_start"),
        pl.col("end").alias("interval_end"),
        *wide,
        *none,
        pl.col("price").alias("instrument_price"),
        pl.col("price_hub").alias("hub_price"),
        pl.lit(node["unit"], pl.String).alias("unit"),
        pl.lit(flag_names(bits)).alias("flags"),
        pl.max_horizontal("known_at", "known_at_hub").alias("known_at"),
    )


def _usable(ticks: pl.DataFrame) -> pl.DataFrame:
    kept = ticks.filter(flags.usable(pl.col("flags")))
    return kept.select("start", "end", *_AMOUNTS, "flags", "known_at").unique(
        ["start", "end"], keep="last", maintain_order=True
    )
