"""Ticks as quotes of contracts: which contract, of which session, and of what kind the price is.

A price that holds for one UTC day is the settlement of that date. A price of a document without an end is what a
vendor calls the last one: a trade or a quote, of the session of its own instant. A generic tick is a trade once any
publication of it has had a volume, else a quote.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from pipeline.curves.contracts import CONTRACT, named, nearby, positions
from pipeline.curves.definitions import Calendar, Curve
from pipeline.curves.sessions import Sessions
from pipeline.flags import UNUSABLE
from pipeline.schema import INSTANT, PRICE, Schema, conform

KINDS: Final = ("last", "quote", "trade", "settle")  # of one delivery in one session the later one stands
IDENTITY: Final = ("instrument", "ts", "source_rank", "event_id")
MESSAGE: Final = ("known_at", "topic_id", "partition", "offset")
UNNAMED: Final = "names no contract of the curve"
BEYOND: Final = "lies beyond the calendar of contracts"

# One row a publication that changed the price or the kind of its identity, in known order.
QUOTES: Final[Schema] = {
    "code": pl.String(),  # as the tick names it
    **CONTRACT,  # nulls where it names none
    "own": pl.Int64(),  # the ordinal of the session that it is of; null: a settlement of no trading day
    "kind": pl.UInt8(),  # place in KINDS
    "price": PRICE,
    "instant": INSTANT,  # from when it is: the close of its session for a settlement
    "effective": pl.Boolean(),  # it changes price or kind of its identity; never where it is not usable
    "parser_version": pl.UInt16(),
    "message": pl.Int64(),  # place of its message in the known order
    "row": pl.Int32(),
    "instrument": pl.String(),
    "ts": INSTANT,
    "source_rank": pl.UInt8(),
    "event_id": pl.String(),
    "known_at": INSTANT,
    "topic_id": pl.String(),
    "partition": pl.Int32(),
    "offset": pl.Int64(),
}  # fmt: skip
_KNOWN: Final = (*MESSAGE, "row")
_DAY: Final = timedelta(days=1)


def sessions_of(curve: Curve, calendar: Calendar) -> Sessions:
    """The sessions in which the curve's contracts are traded."""
    return Sessions(curve.session_zone, curve.session_end, calendar.holidays)


def quotes(curve: Curve, publications: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """QUOTES of publications (`pipeline.schema.SEEN`, of one tenant, each once), in known order.

    Unusable ones change nothing, nor does one of a lower version than one of its identity before it.
    """
    ordered = publications.sort(_KNOWN).with_columns(usable=(pl.col("flags") & UNUSABLE) == 0)
    coded = ordered.with_columns(code=_codes(curve), kind=_kind(), message=pl.struct(MESSAGE).rle_id().cast(pl.Int64))
    placed = _contracted(curve, _timed(coded, sessions_of(curve, calendar)), calendar)
    return conform(placed.with_columns(effective=_effective()).select(list(QUOTES)), QUOTES)


def _codes(curve: Curve) -> pl.Expr:
    """A document names the contract as its location, a generic tick at the end of its id."""
    return pl.coalesce("location", pl.col("instrument").str.strip_prefix(f"{curve.market}.{curve.product}."))


def _settles() -> pl.Expr:
    return ((pl.col("end") - pl.col("start")) == _DAY).fill_null(value=False)


def _kind() -> pl.Expr:
    volumed = (pl.col("volume").is_not_null() & pl.col("usable")).cast(pl.UInt8).cum_max().over(IDENTITY) == 1
    generic = pl.when(volumed).then(KINDS.index("trade")).otherwise(KINDS.index("quote"))
    document = pl.when(_settles()).then(KINDS.index("settle")).otherwise(KINDS.index("last"))
    return pl.when(pl.col("source_rank") == 0).then(document).otherwise(generic).cast(pl.UInt8)


def _timed(coded: pl.DataFrame, sessions: Sessions) -> pl.DataFrame:
    """With `day` (of the session), `own` and `instant`."""
    settles = coded.select(_settles()).to_series()
    day = coded["start"].dt.date().zip_with(settles, sessions.of(coded["start"]))
    instant = sessions.closes(day).zip_with(settles, coded["start"])
    return coded.with_columns(day.alias("day"), sessions.numbers(day).alias("own"), instant.alias("instant"))


def _contracted(curve: Curve, timed: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """With CONTRACT; rows stay in their order."""
    contracts = calendar.of(curve)
    position = positions(timed["code"], curve.root)
    by_name = timed.join(named(timed["code"], curve.root, contracts), on="code", how="left", maintain_order="left")
    by_place = nearby(timed.select("day", position=position), contracts)
    at_place = position.is_not_null()
    return by_name.with_columns(
        by_place[name].zip_with(at_place, by_name[name]).alias(name) for name in CONTRACT
    )  # fmt: skip


def _effective() -> pl.Expr:
    """Boolean: with the highest version winning, it changes price or kind."""
    version = pl.when("usable").then("version")
    counts = (version >= version.cum_max().over(IDENTITY)).fill_null(value=False)
    price, kind = (pl.when(counts).then(name) for name in ("price", "kind"))
    before = [each.forward_fill().shift(1).over(IDENTITY) for each in (price, kind)]
    return counts & (pl.col("price").ne_missing(before[0]) | pl.col("kind").ne_missing(before[1]))
