"""The tables of the reference: their columns in the order of the CSV, their keys, and what their cells may be.

Each also has a column `tenant`, the first one; a CSV without it is `public`'s, or that of the tenant who is named at
loading. `docs/reference.md` says what each column means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from pipeline.schema import PRICE, Schema
from pipeline.taxonomy import terms

TENANT: Final = "tenant"

Kind = Literal["text", "zone", "clock", "date", "integer", "amount", "boolean"]
DTYPES: Final[Mapping[Kind, pl.DataType]] = {
    "text": pl.String(),
    "zone": pl.String(),  # a time zone of the tz database
    "clock": pl.String(),  # HH:MM
    "date": pl.Date(),
    "integer": pl.Int64(),
    "amount": PRICE,
    "boolean": pl.Boolean(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """`among`: the values that a text may have; `low`, `high`: the bounds of a number, included."""

    kind: Kind = "text"
    needed: bool = False
    among: frozenset[str] | None = None
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`key`: what tells rows apart, beside the tenant. `before`: pairs of dates of which the first comes earlier.

    `most`: rows that a tenant may have, for all work on them; `public` may have any number.

    A table with `valid_from` in its key is effective-dated: [valid_from, valid_to) of one key may not overlap.
    """

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    most: int
    before: tuple[tuple[str, str], ...] = field(default=())

    @property
    def dated(self) -> bool:
        return "valid_from" in self.key

    @property
    def schema(self) -> Schema:
        return {TENANT: pl.String(), **{name: DTYPES[each.kind] for name, each in self.columns.items()}}


_TEXT: Final = Column()
_NAME: Final = Column(needed=True)
_DAY: Final = Column("date")
_ZONE: Final = Column("zone", needed=True)
_AMOUNT: Final = Column("amount", low=0)
_VALID: Final = {"valid_from": _DAY, "valid_to": _DAY}
_ENDS: Final = (("valid_from", "valid_to"),)
_SAID: Final = {
    "commodity": Column(among=terms.COMMODITIES), "region": _TEXT, "tier": Column(among=terms.TIERS),
}  # fmt: skip
_CALENDARS: Final = frozenset({"nerc", "nymex"})
_LEAST: Final = -1_000_000

_ALL: Final = (
    Table(
        "locations",
        {
            "market": _NAME, "location": _NAME, **_VALID, "name": _TEXT, "kind": Column(needed=True, among=terms.KINDS),
            "region": _TEXT, "zone": _TEXT, "hub": _TEXT, "source": _NAME,
        },
        ("market", "location", "valid_from"), 100_000,
        _ENDS,
    ),
    Table(
        "taxonomy_rules",
        {
            "rule": _NAME, "priority": Column("integer", needed=True, low=_LEAST, high=-_LEAST), **_VALID,
            "market": _TEXT, "product": _TEXT, "location_type": _TEXT, "field": Column(among=terms.FIELDS),
            "match": Column(among=terms.MATCHES), "text": _TEXT, **_SAID, "source": _NAME,
        },
        ("rule",), 1_000,
        _ENDS,
    ),
    Table(
        "contracts",
        {
            "market": _NAME, "contract": _NAME, "root": _TEXT, "delivery_start": Column("date", needed=True),
            "delivery_end": Column("date", needed=True), "block": _TEXT, "last_trade": _DAY, "first_notice": _DAY,
            "size": _AMOUNT, "size_unit": _TEXT, "tick": _AMOUNT, "source": _NAME,
        },
        ("market", "contract"), 5_000,
        (("delivery_start", "delivery_end"),),
    ),
    Table(
        "holidays",
        {
            "calendar": Column(needed=True, among=_CALENDARS), "day": Column("date", needed=True), "name": _NAME,
            "source": _NAME,
        },
        ("calendar", "day"), 5_000,
    ),
    Table(
        "instrument_facts",
        {
            "instrument": _NAME, **_VALID, **_SAID, "unit": _TEXT, "currency": _TEXT, "zone": Column("zone"),
            "contract_size": _AMOUNT, "tick_size": _AMOUNT, "confirmed": Column("boolean", needed=True),
            "source": _NAME,
        },
        ("instrument", "valid_from"), 100_000,
        _ENDS,
    ),
    Table(
        "curves",
        {
            "curve": _NAME, "market": _NAME, "product": _NAME, "name": _NAME, "root": _TEXT, "zone": _ZONE,
            "unit": _TEXT, "block": _NAME, "granularity": _NAME, "tick": Column("amount", needed=True, low=0),
            "session_zone": _ZONE, "session_end": Column("clock", needed=True),
            "max_age": Column("integer", needed=True, low=0, high=30), "source": _NAME,
        },
        ("curve",), 50,
    ),
    Table(
        "spreads",
        {
            "spread": _NAME, **_VALID, "zone": _ZONE, "unit": _NAME, "formula": _NAME, "legs": _NAME, "source": _NAME,
        },
        ("spread", "valid_from"), 500,
        _ENDS,
    ),
)  # fmt: skip
TABLES: Final[Mapping[str, Table]] = {table.name: table for table in _ALL}
