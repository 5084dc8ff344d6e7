"""What the routes of spreads answer: definitions, and what a value was made of."""

from asyncio import to_thread
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import polars as pl

from api import render
from api.formats import objects
from api.problems import invalid, not_found
from api.reads.ports import Reads
from api.spread_query import SpreadsQuery
from db.visible import Visible
from pipeline.schema import PUBLIC, TICKS, Schema
from pipeline.shown import flag_names
from pipeline.spreads.calendars import of_tables
from pipeline.spreads.definitions import Definition, Leg, of_row
from pipeline.spreads.explain import Explained, explained, needed
from pipeline.spreads.kinds import MARKET
from pipeline.spreads.plan import Plan

Position = list[str]  # spread, tenant, valid_from
_TABLE: Final[Schema] = dict.fromkeys(
    ("spread", "instrument", "kind", "interval", "unit", "zone", "formula", "legs", "valid_from", "valid_to", "source",
     "tenant"), pl.String(),
)  # fmt: skip
_HEAD: Final = ("price", "energy", "congestion", "loss", "flags", "known_at")


async def defined(reads: Reads, visible: Visible) -> list[Definition]:
    """Every definition that may be seen, in the order of its position."""
    rows = (await reads.snapshot()).tables["spreads"].filter(pl.col("tenant").is_in(visible.tenants))
    every = await to_thread(_read, rows)
    return [each for each in every if _is_seen(each, visible)]


def _is_seen(definition: Definition, visible: Visible) -> bool:
    allowed = visible.allows(definition.tenant, MARKET, definition.kind.name)
    return allowed and definition.instrument not in visible.hidden


def _read(rows: pl.DataFrame) -> list[Definition]:
    return sorted((of_row(row) for row in rows.iter_rows(named=True)), key=position_of)


def position_of(definition: Definition) -> Position:
    return [definition.spread, definition.tenant, str(definition.valid_from or "")]


def matches(definition: Definition, ask: SpreadsQuery) -> bool:
    """Whether the definition is among those that are asked for."""
    texts = (definition.instrument, definition.formula, *(leg.source for leg in definition.legs))
    return (
        (ask.kind is None or definition.kind.name == ask.kind)
        and (ask.market is None or any(leg.market == ask.market for leg in definition.legs))
        and (ask.location is None or any(_location(leg) == ask.location for leg in definition.legs))
        and (ask.q is None or any(ask.q.casefold() in text.casefold() for text in texts))
    )


def shown(definition: Definition) -> dict[str, Any]:
    """The fields of `api.schemas.spreads.Spread`."""
    kind = definition.kind
    return {
        "spread": definition.spread,
        "instrument": definition.instrument,
        "kind": kind.name,
        "interval": kind.interval,
        "unit": definition.unit,
        "zone": definition.zone,
        "formula": definition.formula,
        "legs": [_leg(leg) for leg in definition.legs],
        "valid_from": definition.valid_from,
        "valid_to": definition.valid_to,
        "source": definition.source,
        "tenant": definition.tenant,
    }


def table(spreads: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The same as rows: `legs` as JSON."""
    return objects.table(spreads, _TABLE)


async def found(reads: Reads, visible: Visible, instrument: str, start: datetime) -> Definition:
    """The definition that holds for an interval of a spread: the caller's own one before a public one.

    404 where there is none of that name, 422 where none holds then.
    """
    of_name = [each for each in await defined(reads, visible) if each.instrument == instrument]
    if not of_name:
        raise not_found(f"instrument: there is no spread {instrument!r} for this key. /v1/spreads lists them.")
    tenant = min((each.tenant for each in of_name), key=visible.tenants.index)
    for each in of_name:
        if each.tenant == tenant and _holds(each, start):
            return each
    raise invalid("start", f"lies in no time for which {instrument} is defined.")


async def explain(reads: Reads, definition: Definition, start: datetime, known: datetime | None) -> Explained:
    """What stands of the interval that begins at `start`; 422 where none does."""
    tables = (await reads.snapshot()).tables
    alone, cells, prices = await to_thread(_needed, definition, tables, start)
    if cells.is_empty():
        raise invalid("start", f"is not where an interval of {definition.kind.interval} begins in {definition.zone}.")
    seen = await reads.leg_publications(sorted({definition.tenant, PUBLIC}), prices.select("instrument", "at"), known)
    return await to_thread(explained, alone, cells, seen)


def _needed(
    definition: Definition, tables: Mapping[str, pl.DataFrame], start: datetime
) -> tuple[Plan, pl.DataFrame, pl.DataFrame]:
    return needed(definition, of_tables(tables), start)


def explanation(definition: Definition, start: datetime, what: Explained, *, as_text: bool) -> str:
    """The fields of `api.schemas.spreads.SpreadExplained` as JSON."""
    head = msgspec.json.encode(shown(definition) | {"interval_start": start, "written": what.written}).decode()
    empty = pl.DataFrame([dict.fromkeys(_HEAD)], {name: TICKS[name] for name in _HEAD})
    value = what.value if what.value.height else empty
    priced = pl.when(pl.col("flags") & 1 > 0).then(pl.col("price")).alias("price")
    one = value.select(_HEAD).with_columns(priced, flag_names(value["flags"].fill_null(0)))
    legs = what.legs.rename({"start": "interval_start"}).with_columns(flag_names(what.legs["flags"]))
    missing = [{"instrument": name, "interval_start": at} for name, at in what.missing]
    parts = (
        head[:-1],
        render.rows(one, decimals_as_text=as_text)[1:-1],
        f'"prices":[{render.rows(legs, decimals_as_text=as_text)}]',
        f'"missing":{msgspec.json.encode(missing).decode()}}}',
    )
    return ",".join(parts)


def after(definitions: Sequence[Definition], held: Position | None) -> Iterator[Definition]:
    """Those beyond a position."""
    return (each for each in definitions if held is None or position_of(each) > held)


def _leg(leg: Leg) -> dict[str, Any]:
    texts = {"factor_unit": leg.factor_unit, "block": leg.block}
    numbers = {"weight": f"{leg.weight:f}", "factor": f"{leg.factor:f}"}
    return {"instrument": leg.instrument, "contract": leg.contract, **numbers, "align": leg.align, **texts}


def _location(leg: Leg) -> str:
    return leg.source.split(".", 1 if leg.contract else 2)[-1]


def _holds(definition: Definition, start: datetime) -> bool:
    day = pl.select(pl.lit(start).dt.convert_time_zone(definition.zone).dt.date()).item()
    since, until = definition.valid_from, definition.valid_to
    return (since is None or since <= day) and (until is None or day < until)
