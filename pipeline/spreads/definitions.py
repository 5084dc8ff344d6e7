"""A definition of a spread, as a row of the reference table `spreads` holds it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Final, cast

import msgspec

from pipeline import products
from pipeline.errors import DataProcessingError
from pipeline.spreads.kinds import KINDS, MARKET, Align, Kind

_TEXTS: Final = ("tenant", "spread", "zone", "unit", "formula", "legs", "source")
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")  # an exponent may stand for millions of digits


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leg as its JSON says it; numbers are texts, so that they stay exact."""

    instrument: str | None = None
    contract: str | None = None
    weight: str = "1"
    align: Align = "interval"
    factor: str = "1"
    factor_unit: str | None = None
    block: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """Prices of an instrument, or of a futures contract (`{market}.{contract}`, e.g. `henry_hub.NGH27`), which is the
    nearby position that it has on each day.

    `factor` converts the leg's unit; `factor_unit` is its unit (a heat rate: MMBtu/MWh). `unit`: of a leg whose market
    has none of its own.
    """

    instrument: str | None
    contract: str | None
    weight: Decimal
    align: Align
    factor: Decimal
    factor_unit: str | None
    block: str | None
    unit: str | None

    @property
    def coefficient(self) -> Fraction:
        return Fraction(self.weight) * Fraction(self.factor)

    @property
    def source(self) -> str:
        """The instrument or the contract."""
        return self.instrument or self.contract or ""

    @property
    def market(self) -> str:
        return self.source.split(".", 1)[0]

    @property
    def product(self) -> str:
        """A contract's prices are those of the futures' nearby positions."""
        parts = self.source.split(".", 2)
        return "futures" if self.contract else parts[1] if len(parts) == 3 else products.STREAM.name


@dataclass(frozen=True, slots=True)
class Definition:
    """One row of `spreads`: it holds for the intervals whose local day in `zone` lies in [valid_from, valid_to)."""

    tenant: str
    spread: str
    valid_from: date | None
    valid_to: date | None
    zone: str
    unit: str
    formula: str
    legs: tuple[Leg, ...]
    source: str

    @property
    def kind(self) -> Kind:
        return KINDS[self.spread.split(".", 1)[0]]

    @property
    def location(self) -> str:
        return self.spread.split(".", 1)[1]

    @property
    def instrument(self) -> str:
        return f"{MARKET}.{self.spread}"

    @property
    def currency(self) -> str | None:
        """That of the prices of its first leg, which is also a heat rate's."""
        first = self.legs[0]
        return products.market(first.market).currency or (first.unit or self.unit).partition("/")[0]

    @property
    def digest(self) -> str:
        """64 characters that tell what the values follow from: the same ones, the same values."""
        validity = f"{self.valid_from} {self.valid_to}"
        parts = (self.tenant, self.spread, validity, self.zone, self.unit, repr(self.legs))
        return sha256("\n".join(parts).encode()).hexdigest()


def of_row(row: Mapping[str, object]) -> Definition:
    """The definition of a row that `pipeline.spreads.checks.check` finds good.

    Raises `DataProcessingError` where its legs cannot be read.
    """
    tenant, spread, zone, unit, formula, legs, source = (str(row[name] or "") for name in _TEXTS)
    since, until = (cast("date | None", row[name]) for name in ("valid_from", "valid_to"))
    return Definition(tenant, spread, since, until, zone, unit, formula, legs_of(legs), source)


def legs_of(text: str) -> tuple[Leg, ...]:
    """The legs of a JSON array. Raises `DataProcessingError` with what is wrong and the fix."""
    try:
        written = msgspec.json.decode(text, type=list[Written])
    except msgspec.MsgspecError as error:
        raise _refused(f"legs: {text[:200]!r} is no JSON array of legs ({error}).") from None
    return tuple(_leg(each, f"legs[{number}]") for number, each in enumerate(written))


def _leg(written: Written, where: str) -> Leg:
    return Leg(
        written.instrument,
        written.contract,
        _number(written.weight, f"{where}.weight"),
        written.align,
        _number(written.factor, f"{where}.factor"),
        written.factor_unit,
        written.block,
        written.unit,
    )


def _number(text: str, where: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise _refused(f'{where}: {text[:40]!r} is no plain number. Write it as text, e.g. "-1" or "7.25".')
    return Decimal(text)


def _refused(message: str) -> DataProcessingError:
    return DataProcessingError(message, "reference")
