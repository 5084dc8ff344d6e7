"""Derived publications: what a spread was, message by message, of the publications of its legs.

Every message that brought a price of an interval's legs gives at most one publication of the interval's value, at
that message's position (its `row` is 0): the formula over what each price was as of that message. Before every price
has been there, there is none; while one of them is not usable, the publication says so (`NO_VALUE`, price 0). What else
is seen later changes values at given positions and adds positions; so of two readings of a position the one that saw
more publications stands, whatever the order in which they landed. `seen` is that measure: the sum of the parser
versions of the distinct publications of the interval's legs, which grows with each of them, and when one is read anew.
"""

from typing import Final

import polars as pl

from pipeline import flags, products
from pipeline.exact import as_price, half_even
from pipeline.flags import Flag
from pipeline.schema import LIMIT, PUBLIC, SCALE, TICKS, Schema, conform, empty
from pipeline.spreads.cells import CELLS
from pipeline.spreads.kinds import KINDS, MARKET
from pipeline.spreads.parts import parts
from pipeline.spreads.plan import Plan

SOURCE: Final = "gridtick.spreads"
DERIVED: Final[Schema] = {**TICKS, "seen": pl.Int64(), "zone": pl.String(), "unit": pl.String()}

_CELL: Final = ["number", "start"]
_PART: Final = [*_CELL, "instrument", "at"]
_MESSAGE: Final = ["known_at", "topic_id", "partition", "offset"]
VALUES: Final = ("price", "energy", "congestion", "loss")
_PARTED: Final = VALUES[1:]
_TOO_LARGE: Final = LIMIT * 10**SCALE
_MOST_SEEN: Final = 60_000  # what a stored row can hold, less room for rows that go above others
_HANDED_ON: Final = int(Flag.OUT_OF_RANGE | Flag.COMPONENT_MISMATCH)


def derive(plan: Plan, cells: pl.DataFrame, publications: pl.DataFrame) -> pl.DataFrame:
    """`DERIVED` of the cells (`pipeline.spreads.cells.CELLS`) from all publications of their legs
    (`pipeline.schema.SEEN`): `TICKS` with `seen`, and the zone and unit of the definition."""
    wanted = parts(plan, cells)
    seen = seen_of(wanted, publications)
    if seen.is_empty():
        return empty(DERIVED)
    grid = _as_of_messages(wanted, seen)
    weights = seen.group_by(_CELL).agg(seen=pl.col("parser_version").cast(pl.Int64).sum().clip(upper_bound=_MOST_SEEN))
    values = _values(plan, _complete(grid)).join(weights, on=_CELL)
    return _shaped(values.join(cells.select(*CELLS), on=_CELL).join(_named(plan), on="number"))


def seen_of(wanted: pl.DataFrame, publications: pl.DataFrame) -> pl.DataFrame:
    """Every publication of each part, once; a tenant's spread sees its own and public ones, a public one the latter."""
    kept = ("tenant", "instrument", "version", *_MESSAGE, "row", *VALUES, "flags", "event_id", "source_rank")
    found = wanted.join(publications.select(*kept, "parser_version", at="ts"), on=["instrument", "at"])
    own = pl.col("tenant") == pl.col("owner")
    found = found.with_columns(own=own).filter(own | (pl.col("tenant") == PUBLIC))
    one = [*_PART, "leg", "tenant", "source_rank", "event_id", "version", *_MESSAGE, "row"]
    return found.sort("parser_version", descending=True).unique(one, keep="first")


def winning(seen: pl.DataFrame) -> pl.DataFrame:
    """The publications of each part that stood when they came, in known order.

    The tenant's own price wins over a public one, then the highest version, then the later one.
    """
    of = [*_PART, "leg"]
    ordered = seen.sort(*of, *_MESSAGE, "row", "source_rank", "event_id")
    ordered = ordered.filter(pl.col("own") >= pl.col("own").cum_max().over(of))
    return ordered.filter(pl.col("version") >= pl.col("version").cum_max().over([*of, "own"]))


def _as_of_messages(wanted: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """A row for each message of a cell and part of it: what the part was as of that message, null before it came."""
    of = [*_PART, "leg"]
    current = winning(seen).group_by([*of, *_MESSAGE], maintain_order=True).last()
    messages = seen.select(*_CELL, *_MESSAGE).unique()
    grid = wanted.join(messages, on=_CELL).join(
        current.select(*of, *_MESSAGE, *VALUES, "flags"), on=[*of, *_MESSAGE], how="left"
    )
    ordered = grid.sort(*of, *_MESSAGE)
    here = pl.col("price").is_not_null().cum_sum().over(of).alias("nth")
    # Filled by publication and not by column: what a later one does not say is not taken from one before.
    filled = ordered.with_columns(here)
    return filled.with_columns(pl.col(*VALUES, "flags").first().over([*of, "nth"]))


def _complete(grid: pl.DataFrame) -> pl.DataFrame:
    """One row for each message of a cell at which every part has been there: the sums of its value."""
    unusable = ~flags.usable(pl.col("flags"))
    numbers = [pl.col(name).to_physical().cast(pl.Int128) * pl.col("coef") for name in VALUES]
    sums = [
        pl.when(pl.col(name).is_null().any()).then(None).otherwise(number.sum()).alias(name)
        for name, number in zip(VALUES, numbers, strict=True)
    ]
    below = pl.when(pl.col("leg") == 1).then(numbers[0]).otherwise(pl.lit(0, pl.Int128)).sum().alias("second")
    handed = (pl.col("flags") & _HANDED_ON).bitwise_or().alias("flags")
    made = grid.group_by([*_CELL, *_MESSAGE]).agg(
        *sums, below, handed, pl.col("den").first(), whole=pl.col("price").is_not_null().all(), bad=unusable.any()
    )
    return made.filter("whole")


def _values(plan: Plan, made: pl.DataFrame) -> pl.DataFrame:
    """With price and its parts, null where there is no value."""
    facts = [(number, each.kind.ratio, each.kind.parts) for number, each in enumerate(plan.definitions)]
    kinds = pl.DataFrame(facts, {"number": pl.UInt32(), "ratio": pl.Boolean(), "parted": pl.Boolean()}, orient="row")
    first = pl.col("price") - pl.col("second")
    above = pl.when("ratio").then(first * pl.lit(10**SCALE, pl.Int128)).otherwise(pl.col("price"))
    none = pl.col("bad") | (pl.col("ratio") & (pl.col("second") <= 0))
    below = pl.when(pl.col("ratio") & ~none).then("second").otherwise("den")
    price = half_even(above, below)
    fits = ~none & (price.abs() < pl.lit(_TOO_LARGE, pl.Int128))
    shown = {name: half_even(pl.col(name), pl.col("den")) for name in _PARTED}
    parted = [pl.when(fits & pl.col("parted")).then(value).alias(name) for name, value in shown.items()]
    return made.join(kinds, on="number").with_columns(pl.when(fits).then(price).alias("price"), *parted)


def _named(plan: Plan) -> pl.DataFrame:
    rows = [
        (number, each.tenant, each.instrument, each.kind.name, each.location, each.zone, each.unit)
        for number, each in enumerate(plan.definitions)
    ]
    names = ("tenant", "instrument", "product", "location", "zone", "unit")
    return pl.DataFrame(rows, {"number": pl.UInt32(), **dict.fromkeys(names, pl.String())}, orient="row")


def _shaped(values: pl.DataFrame) -> pl.DataFrame:
    valued = pl.col("price").is_not_null()
    negative = pl.when(pl.col("price") < 0).then(int(Flag.PRICE_NEGATIVE)).otherwise(0)
    usable = pl.col("flags") | int(Flag.VALID) | negative.cast(pl.UInt32)
    ticks = values.with_columns(
        market=pl.lit(MARKET), location_type=pl.lit("spread"), ts="start", hold_end="end", source_rank=0,
        event_id=pl.lit(""), version=0, row=0, source=pl.lit(SOURCE),
        flags=pl.when(valued).then(usable).otherwise(int(Flag.NO_VALUE)).cast(pl.UInt32),
        price=as_price(pl.col("price").fill_null(0)), **{name: as_price(pl.col(name)) for name in _PARTED},
    )  # fmt: skip
    present = [name for name in DERIVED if name in ticks.columns]
    return conform(_late(conform(ticks.select(present), DERIVED)), DERIVED)


def _late(ticks: pl.DataFrame) -> pl.DataFrame:
    """With `LATE_ARRIVAL`, as for every other price."""
    late = flags.late_arrival([products.product(MARKET, kind) for kind in KINDS])
    return ticks.with_columns(
        flags=pl.col("flags") | pl.when(late).then(int(Flag.LATE_ARRIVAL)).otherwise(0).cast(pl.UInt32)
    )
