"""Bars of every bucket of a range: those that there are, and the ones between them.

An empty bucket is `null`: it has no price, and none is invented. Or it is `hold`: the price of before still holds when
it begins, as in averages (until the next price or its own end, whichever is first), and the bucket repeats it. A price
without an end, as a stream's, holds nowhere but in the bar that it begins in.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

import polars as pl

from pipeline import blocks, calendar, flags
from pipeline.bars import INTERVALS
from pipeline.blocks import Block
from pipeline.schema import INSTANT, PRICE, SCALE, Schema, conform

Kind = Literal["null", "hold"]
ORDER: Final = ("start", "instrument", "tenant")
# A bar of one of these buckets; `filled`: `none` where a price begins in it.
FILLED: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "start": INSTANT,
    "end": INSTANT,
    **dict.fromkeys(("open", "high", "low", "close", "vwap", "twap", "covered_seconds"), PRICE),
    "volume": pl.Decimal(38, SCALE),
    "count": pl.Int64(),
    "flags": pl.UInt32(),
    "revision": pl.Int64(),
    "updated_at": INSTANT,
    "filled": pl.String(),
}
_WHO: Final = ("tenant", "instrument")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(hours=25)
_SPARSE: Final = 7  # no block leaves out more than six of seven days, or of seven hours over some weeks
_WEEKS: Final = timedelta(weeks=5)


def grid(
    who: pl.DataFrame, interval: str, span: tuple[datetime, datetime], block: Block | None, most: int
) -> pl.DataFrame:
    """`tenant, instrument, start, end`: the buckets that begin in [start, end), by `ORDER`; of each market and zone at
    least the first `most`, where there are so many beyond those of the first start.

    `who`: `tenant, instrument, market, zone` (whose day `1d` is). With a block those that hold an hour of it.
    """
    parts = [_of_zone(rows, interval, span, block, most) for rows in who.partition_by("market", "zone")]
    return pl.concat(parts).sort(ORDER)


def count(who: pl.DataFrame, interval: str, span: tuple[datetime, datetime], block: Block | None) -> int:
    """How many buckets `grid` has of the whole span."""
    parts = who.partition_by("market", "zone")
    return sum(rows.height * _buckets(rows.row(0, named=True), interval, span, block) for rows in parts)


def _buckets(of: Mapping[str, str], interval: str, span: tuple[datetime, datetime], block: Block | None) -> int:
    seconds = INTERVALS[interval].seconds
    if seconds is None:
        return _inside(_days(*span, of["zone"]), block, of["market"]).height
    length = timedelta(seconds=seconds)
    if block is not None:
        return _inside(_steps(*span, length), block, of["market"]).height
    return max(0, -((_first(span[0], length) - span[1]) // length))


def _of_zone(
    who: pl.DataFrame, interval: str, span: tuple[datetime, datetime], block: Block | None, most: int
) -> pl.DataFrame:
    count = most // who.height + 2
    seconds = INTERVALS[interval].seconds
    length = _DAY if seconds is None else timedelta(seconds=seconds)
    end = min(span[1], span[0] + (count + 1) * length * (1 if block is None else _SPARSE) + (_WEEKS if block else _DAY))
    every = _days(span[0], end, who["zone"][0]) if seconds is None else _steps(span[0], end, length)
    inside = _inside(every, block, who["market"][0])
    return who.select(_WHO).join(inside.head(count), how="cross")


def _steps(start: datetime, end: datetime, length: timedelta) -> pl.DataFrame:
    starts = pl.datetime_range(_first(start, length), end, length, closed="left", time_unit="us", eager=True).cast(
        INSTANT
    )
    return pl.DataFrame({"start": starts, "end": starts + length})


def _first(start: datetime, length: timedelta) -> datetime:
    return _EPOCH - (_EPOCH - start) // length * length


def _days(start: datetime, end: datetime, zone: str) -> pl.DataFrame:
    span = pl.DataFrame({"start": [start], "end": [end], "zone": [zone]}).cast({"start": INSTANT, "end": INSTANT})
    days = calendar.local_days(span, "zone").select(start="day_start", end="day_end")
    return days.filter(pl.col("start") >= start).sort("start")


def _inside(buckets: pl.DataFrame, block: Block | None, market: str) -> pl.DataFrame:
    if block is None:
        return buckets
    return buckets.join(blocks.hours(buckets, block, market), on="start", how="semi").sort("start")


def filled(buckets: pl.DataFrame, ticks: pl.DataFrame) -> pl.DataFrame:
    """`FILLED`: a bar of every bucket (`tenant, instrument, start, end`), made of the ticks that begin in it, else of
    the one that holds when it begins, else empty. `ticks`: `TICKS` and `revision`, those that may hold then too.

    The revision and `updated_at` are those of the prices that are shown.
    """
    usable = ticks.filter(flags.usable(pl.col("flags"))).sort("start", "source_rank", "event_id", "ts")
    begun = _begun(usable, buckets)
    rest = buckets.join(begun, on=[*_WHO, "start"], how="anti")
    held = _held(usable, rest)
    return pl.concat([begun, held, nulls(rest.join(held, on=[*_WHO, "start"], how="anti"))]).sort(ORDER)


def nulls(buckets: pl.DataFrame) -> pl.DataFrame:
    """`FILLED` of buckets of which nothing is known."""
    none = {"count": 0, "flags": 0, "revision": 0, "filled": "null"}
    return conform(buckets.with_columns(pl.lit(value).alias(name) for name, value in none.items()), FILLED)


def _begun(ticks: pl.DataFrame, buckets: pl.DataFrame) -> pl.DataFrame:
    """`FILLED` of the buckets in which a tick begins; every tick holds until the next one, its own or their end."""
    places = buckets.select(*_WHO, opens="start", closes="end").sort("opens")
    placed = ticks.join_asof(places, left_on="start", right_on="opens", by=_WHO, check_sortedness=False)
    inside = placed.filter(pl.col("start") < pl.col("closes"))
    following = pl.col("start").shift(-1).over(*_WHO, "opens")
    until = pl.min_horizontal(following, "hold_end", "closes")
    holds = pl.when(pl.col("hold_end").is_not_null()).then((until - pl.col("start")).dt.total_microseconds().clip(0))
    timed = inside.with_columns(us=holds.fill_null(0))
    made = timed.group_by(*_WHO, "opens", "closes", maintain_order=True).agg(
        open=pl.col("price").first(), high=pl.col("price").max(), low=pl.col("price").min(),
        close=pl.col("price").last(), prices="price", held="us", volumes="volume",
        volume=pl.when(pl.col("volume").is_not_null().any()).then(pl.col("volume").cast(FILLED["volume"]).sum()),
        count=pl.len(), flags=pl.col("flags").bitwise_or(), revision=pl.col("revision").sum(),
        updated_at=pl.col("known_at").max(), covered_seconds=_seconds(pl.col("us").sum()),
    )  # fmt: skip
    means = {
        name: pl.Series([_mean(*row) for row in made.select("prices", weights).iter_rows()], dtype=PRICE)
        for name, weights in (("twap", "held"), ("vwap", "volumes"))
    }
    return _shown(made.with_columns(start="opens", end="closes", filled=pl.lit("none"), **means))


def _held(ticks: pl.DataFrame, buckets: pl.DataFrame) -> pl.DataFrame:
    """`FILLED` of the buckets at whose beginning the tick before holds."""
    before = ticks.select(*_WHO, "price", "hold_end", "flags", "revision", "known_at", since="start")
    last = buckets.sort("start").join_asof(before, left_on="start", right_on="since", by=_WHO, check_sortedness=False)
    held = last.filter(pl.col("hold_end") > pl.col("start"))
    us = (pl.min_horizontal("hold_end", "end") - pl.col("start")).dt.total_microseconds()
    same = {name: pl.col("price") for name in ("open", "high", "low", "close", "twap")}
    more = {"count": pl.lit(0), "filled": pl.lit("hold"), "updated_at": pl.col("known_at")}
    return _shown(held.with_columns(**same, **more, covered_seconds=_seconds(us)))


def _shown(bars: pl.DataFrame) -> pl.DataFrame:
    return conform(bars.select(name for name in FILLED if name in bars.columns), FILLED)


def _seconds(us: pl.Expr) -> pl.Expr:
    return us.cast(pl.Decimal(18, 0)).cast(pl.Decimal(38, 6)) / pl.lit(Decimal(1_000_000))


def _mean(values: list[Decimal], weights: list[Decimal | int | None]) -> Decimal | None:
    """The weighted mean at `SCALE` decimals, rounded once, half to even; none without a weight."""
    if len(values) == 1:
        return values[0] if weights[0] else None
    pairs = [(Fraction(value), Fraction(weight)) for value, weight in zip(values, weights, strict=True) if weight]
    whole = sum((weight for _, weight in pairs), Fraction(0))
    if not whole:
        return None
    mean = sum((value * weight for value, weight in pairs), Fraction(0)) / whole
    return Decimal(round(mean * 10**SCALE)).scaleb(-SCALE)
