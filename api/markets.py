"""The markets and their products: those of the registry, and those of single prices that have instruments."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import polars as pl

from api import shapes
from api.formats import objects
from db.visible import Visible
from pipeline import expected, products
from pipeline.bars import day_zone
from pipeline.schema import PUBLIC, Schema

_PRODUCT: Final = ("market", "product")

Fields = dict[str, Any]
_TABLE: Final[Schema] = {
    **dict.fromkeys(("market", "zone", "unit", "currency", "product"), pl.String()), "instruments": pl.Int64(),
    **dict.fromkeys(("interval", "finest", "day_zone"), pl.String()),
    **dict.fromkeys(("cadence_seconds", "due_seconds", "lateness_seconds", "grace_seconds"), pl.Decimal(18, 3)),
    "forward": pl.Boolean(), "reason": pl.String(),
}  # fmt: skip


def markets(instruments: pl.DataFrame, visible: Visible) -> list[Fields]:
    """The fields of `api.schemas.markets.Market`, in order of their names. `instruments`: rows of the reference."""
    counts = _counts(visible.of(instruments))
    named: dict[str, list[str]] = defaultdict(list)
    for market, product in sorted(counts.keys() | _registered(visible)):
        named[market].append(product)
    return [_market(market, {name: counts[market, name] for name in of}) for market, of in named.items()]


def table(markets: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The same as rows, one a product, with what is the same of all products of a market."""
    return objects.table([{**each, **product} for each in markets for product in each["products"]], _TABLE)


def _counts(seen: pl.DataFrame) -> Counter[tuple[str, str]]:
    found = seen.drop_nulls(_PRODUCT).group_by(_PRODUCT).len()
    return Counter({(market, product): count for market, product, count in found.iter_rows()})


def _registered(visible: Visible) -> set[tuple[str, str]]:
    """Of the registry what the caller would see if there were instruments."""
    every = ((market, name) for market, name in products.PRODUCTS if market is not None)
    return {each for each in every if visible.allows(PUBLIC, *each)}


def _market(name: str, counts: Mapping[str, int]) -> Fields:
    market = products.market(name)
    return {
        "market": name,
        "zone": market.zone,
        "unit": market.unit,
        "currency": market.currency,
        "instruments": sum(counts.values()),
        "products": [_product(name, product, count) for product, count in counts.items()],
    }


def _product(market: str, name: str, instruments: int) -> Fields:
    product = products.product(market, name)
    return {
        "product": name,
        "instruments": instruments,
        "interval": product.interval,
        "finest": shapes.finest_bar(market, name),
        "day_zone": day_zone(market, name),
        "cadence_seconds": _seconds(product.cadence),
        "due_seconds": _seconds(product.due if product.cadence is not None else None),
        "lateness_seconds": _seconds(product.lateness),
        "grace_seconds": _seconds(product.grace),
        "forward": product.forward,
        "reason": expected.why_none(product),
    }


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()
