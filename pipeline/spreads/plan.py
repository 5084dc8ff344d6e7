"""All definitions as one table of legs, made once for each version of the reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import polars as pl

from pipeline.schema import Schema, conform
from pipeline.spreads.calendars import Calendars, of_tables
from pipeline.spreads.checks import step_s
from pipeline.spreads.definitions import Definition, of_row

DATED: Final = frozenset({"flow_day", "gas_day"})  # how legs are aligned by the days of gas

# One row a leg; `number` is the place of its definition. `p` / `q`: weight × factor.
LEGS: Final[Schema] = {
    "number": pl.UInt32(),
    "leg": pl.UInt8(),
    "owner": pl.String(),  # the tenant of the definition
    "market": pl.String(),
    "instrument": pl.String(),  # null: a contract
    "contract": pl.String(),
    "prefix": pl.String(),  # of the nearby positions of a contract
    "align": pl.String(),
    "block": pl.String(),
    "step_s": pl.Int64(),  # of the leg's own intervals, 0: days
    "interval": pl.String(),  # of the spread's values
    "zone": pl.String(),
    "p": pl.Int64(),
    "q": pl.Int64(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The definitions, and `LEGS` of them. The value of an instrument depends on its own definitions alone."""

    definitions: tuple[Definition, ...]
    legs: pl.DataFrame
    calendars: Calendars

    def mark(self, definition: Definition) -> str:
        """64 characters that tell what the values follow from, the calendar included where a leg is dated by it."""
        dated = any(leg.contract or leg.align in DATED for leg in definition.legs)
        return sha256(f"{definition.digest} {self.calendars.digest if dated else ''}".encode()).hexdigest()


def compiled(spreads: pl.DataFrame, calendars: Calendars) -> Plan:
    """The plan of the rows of the reference table `spreads`."""
    return plan_of([of_row(row) for row in spreads.iter_rows(named=True)], calendars)


class Plans:
    """The plan of the newest reference, kept while its tables stay the same."""

    def __init__(self) -> None:
        self._version = -1
        self._plan: Plan | None = None

    def of(self, version: int, tables: Mapping[str, pl.DataFrame]) -> Plan:
        """The plan of these tables of the reference; `version` tells them from others."""
        if self._plan is None or version != self._version:
            self._plan, self._version = compiled(tables["spreads"], of_tables(tables)), version
        return self._plan


def plan_of(definitions: Sequence[Definition], calendars: Calendars) -> Plan:
    rows = [row for number, each in enumerate(definitions) for row in _legs(number, each)]
    legs = conform(pl.DataFrame(rows, schema={name: LEGS[name] for name in LEGS if name != "prefix"}), LEGS)
    roots = calendars.contracts.select("market", "contract", "root")
    known = legs.drop("prefix").join(roots, on=["market", "contract"], how="left", maintain_order="left")
    prefix = pl.format("{}.futures.{}", "market", "root").alias("prefix")
    return Plan(tuple(definitions), conform(known.with_columns(prefix).drop("root"), LEGS), calendars)


def parted(plan: Plan) -> list[Plan]:
    """The plan in two halves, those of one tenant beside each other; none of a single definition."""
    ordered = sorted(plan.definitions, key=lambda each: (each.tenant, each.spread))
    middle = len(ordered) // 2
    return [plan_of(some, plan.calendars) for some in (ordered[:middle], ordered[middle:])] if middle else []


def _legs(number: int, definition: Definition) -> list[dict[str, object]]:
    shared: dict[str, object] = {
        "number": number, "owner": definition.tenant, "interval": definition.kind.interval, "zone": definition.zone,
        "valid_from": definition.valid_from, "valid_to": definition.valid_to,
    }  # fmt: skip
    return [
        shared | {
            "leg": place,
            "market": leg.market, "instrument": leg.instrument,
            "contract": leg.contract and leg.contract.partition(".")[2],
            "align": leg.align, "block": leg.block, "step_s": step_s(leg),
            "p": leg.coefficient.numerator, "q": leg.coefficient.denominator,
        }
        for place, leg in enumerate(definition.legs)
    ]  # fmt: skip
