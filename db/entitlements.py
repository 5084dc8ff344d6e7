"""What a tenant may see of the public prices, and how much it may ask for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl


@dataclass(frozen=True, slots=True)
class Entitlements:
    """Of the public rows: markets and products (None: all), and how far back. A product is `rt_5min` in any market, or
    `caiso.rt_5min` in one. What a tenant has of its own it sees without them."""

    markets: frozenset[str] | None = None
    products: frozenset[str] | None = None
    history: timedelta | None = None

    @property
    def are_of_all(self) -> bool:
        """Whether all markets and products may be seen."""
        return self.markets is None and self.products is None

    def allow(self, market: str, product: str) -> bool:
        """Whether public prices of this market and product may be seen."""
        named = self.products is None or not self.products.isdisjoint({product, f"{market}.{product}"})
        return named and (self.markets is None or market in self.markets)

    def condition(self) -> pl.Expr:
        """`allow` of the columns `market` and `product`."""
        found = pl.lit(value=True)
        if self.markets is not None:
            found &= pl.col("market").is_in(sorted(self.markets))
        if self.products is not None:
            whole = pl.concat_str("market", pl.lit("."), "product")
            found &= pl.any_horizontal(each.is_in(sorted(self.products)) for each in (pl.col("product"), whole))
        return found


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked for; None: the default of the installation."""

    requests_per_minute: int | None = None
    rows_per_day: int | None = None


EVERYTHING: Final = Entitlements()
DEFAULT: Final = Limits()
