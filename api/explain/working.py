"""The numbers of a bar worked out from the prices that count in it, and the working in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

import polars as pl

from api.explain.publications import Bucket, counted
from pipeline.schema import DIGITS, PRICE, SCALE
from pipeline.spreads.explain import plain

_MICRO: Final = 6
_WRITTEN: Final = 12  # terms that are written out one by one
_LIMIT: Final = 10**DIGITS

Facts = dict[str, Any]


class Working(NamedTuple):
    """`facts`: fields of the bar; `formula`: how they come about, None for one that is null."""

    prices: pl.DataFrame
    facts: Facts
    formula: dict[str, str | None]


class _Sum(NamedTuple):
    """Σ price × weight ÷ Σ weight; prices in units of 10^-9, weights in those of 10^-`scale`."""

    prices: Sequence[int]
    weights: Sequence[int]
    scale: int

    @property
    def above(self) -> int:
        return sum(price * weight for price, weight in zip(self.prices, self.weights, strict=True))

    @property
    def below(self) -> int:
        return sum(self.weights)

    @property
    def value(self) -> int | None:
        """In units of 10^-9, rounded once, half to even; None without a weight, and where it is no price any more."""
        if not self.below or abs(self.above) // abs(self.below) >= _LIMIT:
            return None
        return round(Fraction(self.above, self.below))

    def written(self) -> str | None:
        """`(20 × 298 + 100 × 303) ÷ (298 + 303) = 36260 ÷ 601 ≈ 60.332778702`; `=` where nothing was rounded."""
        if (value := self.value) is None:
            return None
        sign = "=" if self.above % self.below == 0 else "≈"
        total = f"{_text(self.above, SCALE + self.scale)} ÷ {_text(self.below, self.scale)}"
        return f"{self._terms()} = {total} {sign} {_text(value, SCALE)}"

    def _terms(self) -> str:
        if len(self.prices) > _WRITTEN:
            return f"Σ price × weight ÷ Σ weight of {len(self.prices)} prices"
        weights = [_term(weight, self.scale) for weight in self.weights]
        terms = [f"{_term(price, SCALE)} × {weight}" for price, weight in zip(self.prices, weights, strict=True)]
        return f"({' + '.join(terms)}) ÷ ({' + '.join(weights)})"


def worked(told: pl.DataFrame, bucket: Bucket, grace: timedelta) -> Working:
    """From every publication of the bar (`api.explain.publications.judged`), at least one of which counts."""
    ticks = counted(told).with_columns(held_until=_until(bucket.end))
    held = (pl.col("held_until") - pl.col("start")).dt.total_microseconds().clip(0)
    ticks = ticks.with_columns(held=held)
    prices, here = _units(ticks["price"]), told.filter("here")
    twap = _weighted(ticks, "held", _MICRO)
    vwap = _weighted(ticks.with_columns(units=ticks["volume"].to_physical().cast(pl.Int64)), "units", SCALE)
    facts: Facts = {
        "open": _price(prices[0]), "high": _price(max(prices)), "low": _price(min(prices)),
        "close": _price(prices[-1]), "count": len(prices), "volume": _sum(vwap), "vwap": _price(vwap.value),
        "twap": _price(twap.value), "covered_seconds": _amount(twap.below, _MICRO),
        "revision": here["revision"].count(), "updated_at": here.filter("effective")["known_at"].max(),
    }  # fmt: skip
    formula = _formula(prices, here, bucket.end + grace) | {
        "volume": _volume(vwap), "vwap": vwap.written(), "twap": twap.written(),
    }  # fmt: skip
    return Working(_listed(ticks), facts, formula)


def _until(end: datetime) -> pl.Expr:
    """Until when each price holds: the next one, its own end or the bar's, whichever is first; null: it does not."""
    until = pl.min_horizontal("hold_end", pl.lit(end), pl.col("start").shift(-1))
    return pl.when(pl.col("hold_end").is_not_null()).then(pl.max_horizontal(until, "start"))


def _weighted(ticks: pl.DataFrame, weight: str, scale: int) -> _Sum:
    """Of the prices that have one."""
    some = ticks.drop_nulls(weight)
    return _Sum(_units(some["price"]), some[weight].to_list(), scale)


def _formula(prices: Sequence[int], here: pl.DataFrame, due: datetime) -> dict[str, str | None]:
    high, low = prices.index(max(prices)), prices.index(min(prices))
    changed, late = (here.filter(revision=kind).height for kind in ("changed", "late"))
    return {
        "open": f"price 1 = {_text(prices[0], SCALE)}",
        "high": f"price {high + 1} = {_text(prices[high], SCALE)}, the highest",
        "low": f"price {low + 1} = {_text(prices[low], SCALE)}, the lowest",
        "close": f"price {len(prices)} = {_text(prices[-1], SCALE)}",
        "count": f"{len(prices)}, how many prices there are",
        "revision": f"{changed} (changes of a price) + {late} (prices first known after {due:%Y-%m-%dT%H:%M:%SZ}) "
        f"= {changed + late}",
    }


def _volume(vwap: _Sum) -> str | None:
    if not vwap.weights:
        return None
    parts = [_term(each, SCALE) for each in vwap.weights]
    text = " + ".join(parts) if len(parts) <= _WRITTEN else f"Σ volume of {len(parts)} prices"
    return f"{text} = {_text(vwap.below, SCALE)}"


def _listed(ticks: pl.DataFrame) -> pl.DataFrame:
    seconds = pl.Series("seconds", [_amount(us, _MICRO) for us in ticks["held"]], dtype=PRICE)
    return ticks.select(
        pl.int_range(1, pl.len() + 1).alias("order"), pl.col("number").alias("publication"),
        pl.col("start").alias("interval_start"), "held_until", pl.lit(seconds), "price", "volume",
    )  # fmt: skip


def _units(prices: pl.Series) -> list[int]:
    return prices.to_physical().cast(pl.Int64).to_list()


def _sum(vwap: _Sum) -> Decimal | None:
    return _amount(vwap.below, SCALE) if vwap.weights else None


def _price(units: int | None) -> Decimal | None:
    return _amount(units, SCALE)


def _amount(units: int | None, scale: int) -> Decimal | None:
    """Exact, however many digits there are."""
    return None if units is None else Decimal((units < 0, Decimal(abs(units)).as_tuple().digits, -scale))


def _text(units: int, scale: int) -> str:
    amount = _amount(units, scale)
    assert amount is not None
    return plain(amount)


def _term(units: int, scale: int) -> str:
    """As it stands among others."""
    return f"({_text(units, scale)})" if units < 0 else _text(units, scale)
