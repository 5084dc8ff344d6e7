"""The parts of a price: LMP = energy + congestion + loss (+ ghg), in our signs, within what the exchange rounds.

Where the energy is published, the parts must add up to the price. Where it is derived they always do; then the
energies of one instant in one document must agree, for energy is the same everywhere in a market.
"""

from decimal import Decimal
from typing import Final

import polars as pl

from pipeline import products
from pipeline.schema import PRICE

_RUN: Final = ("market", "product", "offset", "ts")
_NOTHING: Final = pl.lit(0, dtype=PRICE)


def derived(ticks: pl.DataFrame) -> pl.Series:
    """Boolean: the energy is not published but follows from the other parts."""
    if "derived" not in ticks.columns:
        return pl.repeat(value=False, n=ticks.height, eager=True)
    return ticks["derived"].fill_null(value=False) & ticks["energy"].is_not_null()


def mismatch(ticks: pl.DataFrame, derived: pl.Series) -> pl.Series:
    """Boolean: the parts contradict the price by more than the product's tolerance; false where a part is missing.

    Needs `market, product, ts, price, energy, congestion, loss`, and takes `ghg` where it is there.
    """
    missed = ticks.select(_missed(ticks)).to_series()
    off = missed if not derived.any() else missed.zip_with(~derived, _apart(ticks, derived))
    tolerance = _tolerances(ticks.select("market", "product").unique())
    beyond = off > tolerance["tolerance"].min()
    if not beyond.any():
        return beyond.fill_null(value=False)
    allowed = ticks.join(tolerance, on=["market", "product"], how="left", maintain_order="left")["tolerance"]
    return (off > allowed).fill_null(value=False)


def _missed(ticks: pl.DataFrame) -> pl.Expr:
    """By how much the parts miss the price."""
    ghg = pl.col("ghg").fill_null(_NOTHING) if "ghg" in ticks.columns else _NOTHING
    return (pl.col("price") - pl.col("energy") - pl.col("congestion") - pl.col("loss") - ghg).abs()


def _apart(ticks: pl.DataFrame, derived: pl.Series) -> pl.Series:
    """By how much each derived energy differs from the middle one of its document and instant."""
    run = [name for name in _RUN if name in ticks.columns]
    runs = ticks.select(*run, "energy").filter(derived).group_by(run)
    middle = runs.agg(middle=pl.col("energy").sort().get((pl.len() - 1) // 2))
    beside = ticks.select(*run, "energy").join(middle, on=run, how="left", maintain_order="left")
    return beside.select((pl.col("energy") - pl.col("middle")).abs()).to_series()


def _tolerances(pairs: pl.DataFrame) -> pl.DataFrame:
    allowed = [_tolerance(*pair) for pair in pairs.iter_rows()]
    return pairs.with_columns(pl.Series("tolerance", allowed, dtype=PRICE))


def _tolerance(market: str, product: str) -> Decimal:
    own = products.product(market, product).tolerance
    return products.market(market).tolerance if own is None else own
