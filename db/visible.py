"""What a caller may see: the rows of its own tenant, and of the public ones those that it is entitled to."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from db.entitlements import EVERYTHING, Entitlements
from pipeline.schema import PUBLIC


@dataclass(frozen=True, slots=True)
class Visible:
    """The argument of the reads of a caller. `tenants`: in the order in which a name is looked for; `hidden`:
    instruments that are made of what the caller may not see, by this `version` of the reference."""

    tenants: tuple[str, ...]
    entitled: Entitlements = EVERYTHING
    hidden: frozenset[str] = field(default_factory=frozenset[str])
    version: int | None = field(default=None, compare=False)

    def allows(self, tenant: str, market: str, product: str) -> bool:
        """Whether prices of this market and product, of this tenant, may be seen."""
        return tenant in self.tenants and (tenant != PUBLIC or self.entitled.allow(market, product))

    def of(self, reference: pl.DataFrame) -> pl.DataFrame:
        """The rows that may be seen of a frame with `tenant, instrument, market, product`."""
        return reference.filter(self.condition())

    def condition(self) -> pl.Expr:
        """That a row may be seen."""
        found = pl.col("tenant").is_in(self.tenants)
        if self.entitled != EVERYTHING:
            found &= (pl.col("tenant") != PUBLIC) | self.entitled.condition()
        return found & ~pl.col("instrument").is_in(sorted(self.hidden)) if self.hidden else found

    def first(self, reference: pl.DataFrame) -> dict[str, Any]:
        """The row of the tenant that is looked at first."""
        return min(reference.to_dicts(), key=lambda row: self.tenants.index(row["tenant"]))
