"""What curves there are, as rows of one shape."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import polars as pl

from api.curves.meant import Futures
from api.curves.query import CurvesQuery
from api.problems import invalid
from api.state import State
from db.postgres.reference import Filters
from db.visible import Visible
from pipeline import products
from pipeline.curves.day_ahead import is_curve
from pipeline.curves.definitions import Curve, curves_of
from pipeline.schema import PUBLIC

Fields = dict[str, Any]
_ROW: Final = {
    "curve": pl.String(), "kind": pl.String(), "tenant": pl.String(), "market": pl.String(), "product": pl.String(),
    "name": pl.String(), "unit": pl.String(), "zone": pl.String(), "block": pl.String(), "granularity": pl.String(),
    "session_zone": pl.String(), "session_end": pl.String(), "max_age": pl.Int64(),
}  # fmt: skip


class Listed(NamedTuple):
    """Rows, and the position to go on from."""

    rows: pl.DataFrame
    following: list[str] | None


async def listed(state: State, visible: Visible, ask: CurvesQuery, after: list[str] | None) -> Listed:
    """The curves that are asked for, after a position."""
    if ask.product is not None and ask.market is None:
        raise invalid("product", "needs a market.")
    if ask.product is not None and is_curve(products.product(str(ask.market), ask.product)):
        filters = Filters(ask.market, ask.product, ask.q)
        position = None if after is None else (after[0], after[1])
        found = await state.reads.find_instruments(visible, filters, position, ask.limit + 1)
        every = [hours(row) for row in found.iter_rows(named=True)]
    else:
        every = await _defined(state, visible, ask, after)
    last = every[ask.limit - 1] if len(every) > ask.limit else None
    rows = pl.DataFrame(every[: ask.limit], schema=_ROW)
    return Listed(rows, None if last is None else [last["curve"], last["tenant"]])


async def _defined(state: State, visible: Visible, ask: CurvesQuery, after: list[str] | None) -> list[Fields]:
    curves = curves_of((await state.reads.snapshot()).tables["curves"])
    found = [_shown(each, each.tenant) for each in curves if _is_seen(each, visible) and _fits(each, ask)]
    ordered = sorted(found, key=lambda row: (row["curve"], row["tenant"]))
    return [row for row in ordered if after is None or [row["curve"], row["tenant"]] > after]


def _is_seen(curve: Curve, visible: Visible) -> bool:
    """A public definition also holds for the caller's own contracts."""
    if curve.tenant == PUBLIC and PUBLIC not in visible.tenants:
        return True
    return visible.allows(curve.tenant, curve.market, curve.product)


def _fits(curve: Curve, ask: CurvesQuery) -> bool:
    named = ask.q is None or ask.q.lower() in f"{curve.curve}\n{curve.name}".lower()
    return named and ask.market in (None, curve.market) and ask.product in (None, curve.product)


def futures(one: Futures) -> Fields:
    """The row of a curve of contracts."""
    return _shown(one.curve, one.curve.tenant)


def _shown(curve: Curve, tenant: str) -> Fields:
    same = ("curve", "market", "product", "name", "unit", "zone", "block", "granularity", "session_zone", "max_age")
    fields = {name: getattr(curve, name) for name in same}
    return fields | {"kind": "futures", "tenant": tenant, "session_end": f"{curve.session_end:%H:%M}"}


def hours(row: Mapping[str, Any]) -> Fields:
    """The row of the day-ahead curve of an instrument (`pipeline.schema.REFERENCE`); its sessions are its days."""
    fields: Fields = dict.fromkeys(_ROW)
    same = ("tenant", "market", "product", "unit")
    zone = row["zone"] or products.market(row["market"]).zone
    return fields | {name: row[name] for name in same} | {
        "curve": row["instrument"], "kind": "day_ahead", "name": row["name"] or row["location"], "zone": zone,
        "block": "atc", "granularity": "hour",
    }  # fmt: skip
