"""What each session's snapshot is made of, and when it changed: quotes replayed message by message.

In a session a contract shows its newest session's price, and of that session the settlement before the last trade,
before a quote, before what a vendor calls the last price; of these the one of the newest instant. A contract without a
price of the session itself shows that of an earlier one, at most `max_age` sessions old. What has ceased to trade is
out. A session in which no contract has a price of its own has no snapshot.

The place of a quote in this order never changes, so that what a contract shows after a message is the greatest place
so far: a running maximum tells every version of every snapshot at once.
"""

from collections.abc import Collection
from typing import Final

import polars as pl

from pipeline.curves.inputs import IDENTITY, MESSAGE

_SHOWN: Final = ("session", "contract")
_CONTENT: Final = ("price", "kind", "own")  # of a contract; what changes nothing of it makes no version
_PLACE: Final = ("own", "kind", "instant", "ts", "source_rank", "event_id", "instrument")


def candidates(quotes: pl.DataFrame, max_age: int, wanted: Collection[int] | None) -> pl.DataFrame:
    """The quotes (`pipeline.curves.inputs.QUOTES`) that may stand in each snapshot, with its `session` (ordinal): of
    the session itself and of those before. `wanted`: of these sessions alone."""
    placed = quotes.filter(pl.col("contract").is_not_null() & pl.col("own").is_not_null())
    own = placed.select(session="own").unique()
    sessions = own if wanted is None else own.filter(pl.col("session").is_in(list(wanted)))
    looked = sessions.with_columns(own=pl.int_ranges(pl.col("session") - max_age, pl.col("session") + 1)).explode("own")
    return looked.join(quotes.filter(pl.col("own").is_not_null()), on="own").sort("session", *MESSAGE, "row")


def alive(found: pl.DataFrame, days: pl.Series) -> pl.Series:
    """Boolean: the contract trades on the day: up to its last trade, else before its delivery begins."""
    until = pl.coalesce(pl.col("last_trade"), pl.col("delivery_start").dt.offset_by("-1d"))
    return found.select((pl.lit(days) <= until).fill_null(value=False)).to_series()


def shown(living: pl.DataFrame) -> pl.DataFrame:
    """Those of the living `candidates` that each contract showed, in known order, with `changes`: another price, kind
    or age than before. The last one of a session and contract is what it shows now."""
    effective = living.filter("effective")
    places = effective.select(_PLACE).unique().sort(_PLACE).with_row_index("place")
    ranked = effective.join(places, on=_PLACE, how="left", nulls_equal=True, maintain_order="left")
    taken = ranked.filter(pl.col("place") == pl.col("place").cum_max().over(_SHOWN))
    other = [pl.col(name).ne_missing(pl.col(name).shift(1).over(_SHOWN)) for name in _CONTENT]
    return taken.with_columns(changes=pl.any_horizontal(other)).drop("place")


def versions(shown: pl.DataFrame) -> pl.DataFrame:
    """Every version of every snapshot, in order: session, version, message and its position (MESSAGE).

    The first is that of the message that brought the session's first own price; what comes in one message is one.
    """
    first = pl.when(pl.col("own") == pl.col("session")).then("message").min().over("session")
    counted = shown.filter(pl.col("changes") & (pl.col("message") >= first))
    each = counted.unique(["session", "message"], keep="first", maintain_order=True).sort("session", "message")
    number = pl.int_range(pl.len()).over("session").cast(pl.UInt32)
    return each.select("session", number.alias("version"), "message", *MESSAGE)


def current(shown: pl.DataFrame) -> pl.DataFrame:
    """What each contract of each session with an own price shows now, in order of delivery."""
    begun = shown.filter((pl.col("own") == pl.col("session")).any().over("session"))
    last = begun.unique(_SHOWN, keep="last", maintain_order=True)
    return last.sort("session", "delivery_start", "delivery_end", "contract")


def seen(found: pl.DataFrame) -> pl.DataFrame:
    """`session` and `seen`: the sum of the parser versions of the distinct publications of each snapshot, usable or
    not. It grows with each of them, and when one is read anew."""
    distinct = found.unique(["session", *IDENTITY, *MESSAGE, "row"])
    return distinct.group_by("session").agg(seen=pl.col("parser_version").cast(pl.UInt64).sum())
