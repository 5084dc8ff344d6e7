"""What is known of instruments: their registered rows, with what the tables of the reference say of them on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from pipeline.schema import REFERENCE, Schema, empty
from pipeline.taxonomy import CLASSIFIED, classify

Tables = Mapping[str, pl.DataFrame]
_KEYS: Final = ("tenant", "instrument")
_SAID: Final = {name: dtype for name, dtype in CLASSIFIED.items() if name not in _KEYS}

# `unit, currency, zone` are those of the facts where these say something; `complete` follows from them.
KNOWN: Final[Schema] = {**REFERENCE, **_SAID}
_NEEDED: Final = ("market", "product", "unit", "currency", "zone")


def known(instruments: pl.DataFrame, tables: Tables, day: date) -> pl.DataFrame:
    """`KNOWN` of instruments (`REFERENCE`), in their order, by what holds on `day`."""
    said = classify(instruments, tables, day) if instruments.height else empty(CLASSIFIED)
    return instruments.with_columns(said.select(*_SAID)).with_columns(complete=_complete()).select(*KNOWN)


def complete(columns: pl.DataFrame) -> pl.Series:
    """Boolean: market, product, unit, currency and zone are known."""
    return columns.select(complete=_complete()).to_series()


def _complete() -> pl.Expr:
    return pl.all_horizontal(pl.col(name).is_not_null() for name in _NEEDED)


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of some instruments by the tables of one version on one day."""

    tables_version: int
    day: date
    instruments: pl.DataFrame
    known: pl.DataFrame


def held(instruments: pl.DataFrame, tables: Tables, tables_version: int, day: date, before: Held | None) -> Held:
    """What is known of the instruments; of those that are as they were `before`, under the same tables, it is not
    worked out again: one new instrument costs no more than itself."""
    if before is None or (before.tables_version, before.day) != (tables_version, day):
        return Held(tables_version, day, instruments, known(instruments, tables, day))
    new = instruments.join(before.instruments, on=instruments.columns, how="anti", nulls_equal=True)
    if new.is_empty() and instruments.height == before.instruments.height:
        return before
    changed = before.known.join(new, on=_KEYS, how="anti").join(instruments, on=_KEYS, how="semi")
    return Held(tables_version, day, instruments, pl.concat([changed, known(new, tables, day)]))
