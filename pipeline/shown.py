"""A tick as users see it, wherever it is shown: the same fields, exact numbers, instants in UTC with `Z`."""

from collections.abc import Iterator
from typing import Final

import msgspec
import polars as pl

from pipeline import flags, products
from pipeline.distinct import looked_up
from pipeline.flags import Flag

FIELDS: Final = (
    "instrument", "market", "product", "location", "location_type", "interval_start", "interval_end", "price",
    "energy", "congestion", "loss", "ghg", "volume", "bid", "ask", "unit", "currency", "flags", "version",
    "revision", "known_at", "tenant",
)  # fmt: skip
AMOUNTS: Final = ("price", "energy", "congestion", "loss", "ghg", "volume", "bid", "ask")
INSTANTS: Final = ("interval_start", "interval_end", "known_at")
_IDENTITY: Final = ("tenant", "instrument", "ts", "source_rank", "event_id")
_SECOND: Final = 1_000_000
_TO_SECONDS: Final = "%Y-%m-%dT%H:%M:%S"
_ORDER: Final = ("known_at", "topic_id", "partition", "offset", "row")


def shown(ticks: pl.DataFrame) -> pl.DataFrame:
    """`FIELDS` of TICKS rows, in their order: amounts as decimals, instants as UTC datetimes, `flags` as names.

    `unit`, `currency`, `complete` and `revision` are taken where the frame has them; else unit and currency are
    the market's, and the revision is counted within these ticks. `price` is null where a spread has no value.
    """
    ticks = ticks if "revision" in ticks.columns else with_revisions(ticks)
    ticks = ticks if "unit" in ticks.columns else _with_unit(ticks)
    lacking = ~pl.col("complete") if "complete" in ticks.columns else pl.lit(value=False)
    missing = pl.when(lacking).then(int(Flag.MISSING_METADATA)).otherwise(0).cast(pl.UInt32)
    bits = ticks.select(pl.col("flags") | missing).to_series()
    priced = (pl.col("flags") & int(Flag.NO_VALUE)) == 0
    made = {
        "interval_start": pl.col("start"), "interval_end": pl.col("end"), "flags": pl.lit(flag_names(bits)),
        "price": pl.when(priced).then("price"),
    }  # fmt: skip
    return ticks.select(made[name].alias(name) if name in made else pl.col(name) for name in FIELDS)


def flag_names(bits: pl.Series) -> pl.Series:
    """Flag bits as lists of their names."""
    distinct = bits.unique().sort()
    table = pl.Series("flags", [flags.names(value) for value in distinct], dtype=pl.List(pl.String))
    return table.gather(distinct.search_sorted(bits))


def with_revisions(ticks: pl.DataFrame) -> pl.DataFrame:
    """The ticks with `revision`: of their identity's publications, how many effective ones came before.

    A publication is effective if it changes one of the identity's `AMOUNTS` or whether it is usable, replayed in
    known order with the highest version winning; the first is revision 0.
    """
    replay = ticks.with_row_index("_at").sort(*_ORDER)
    winning = replay.with_columns(
        _wins=pl.col("version") >= pl.col("version").cum_max().over(_IDENTITY),
        _usable=flags.usable(pl.col("flags")),
    )
    changed = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(name).shift().over(*_IDENTITY, "_wins")) for name in (*AMOUNTS, "_usable")
    )
    effective = (changed & pl.col("_wins")).cast(pl.Int32).cum_sum().over(_IDENTITY)
    return (
        winning.with_columns(revision=pl.max_horizontal(effective - 1, 0)).sort("_at").drop("_at", "_wins", "_usable")
    )


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The shown frame as text for CSV and tables: plain decimals, ISO instants, flags joined by `|`."""
    return frame.with_columns(
        *(plain(pl.col(name)) for name in AMOUNTS),
        *(iso(pl.col(name)) for name in INSTANTS),
        pl.col("flags").list.join("|"),
    )


def ndjson(frame: pl.DataFrame) -> Iterator[bytes]:
    """One JSON object a row; amounts are JSON numbers with all their digits and no trailing zeros."""
    text = frame.with_columns(*(plain(pl.col(name)) for name in AMOUNTS), *(iso(pl.col(name)) for name in INSTANTS))
    encoder = msgspec.json.Encoder()
    for row in text.iter_rows(named=True):
        for name in AMOUNTS:
            if row[name] is not None:
                row[name] = msgspec.Raw(row[name])
        yield encoder.encode(row) + b"\n"


def iso(instants: pl.Expr) -> pl.Expr:
    """`2024-01-01T00:00:00Z`, with the decimals of the second that are there."""
    return instants.map_batches(_iso, return_dtype=pl.String)


def plain(amounts: pl.Expr) -> pl.Expr:
    """Decimals as text without trailing zeros."""
    return amounts.cast(pl.String).str.strip_chars_end("0").str.strip_suffix(".")


def _iso(instants: pl.Series) -> pl.Series:
    """Many instants share their second, or their place in it."""
    micros = instants.to_physical()
    parts = micros % _SECOND
    if (parts == 0).all():
        return looked_up(instants, lambda each: each.dt.strftime(f"{_TO_SECONDS}Z"))
    seconds = looked_up((micros - parts).cast(instants.dtype), lambda each: each.dt.strftime(_TO_SECONDS))
    return seconds + looked_up(parts, _decimals) + "Z"


def _decimals(micros: pl.Series) -> pl.Series:
    """`.5` for half a second, nothing for none."""
    return ("." + micros.cast(pl.String).str.zfill(6)).str.strip_chars_end("0").str.strip_suffix(".")


def _with_unit(ticks: pl.DataFrame) -> pl.DataFrame:
    names = ticks["market"].unique().to_list()
    units = {name: products.market(name).unit for name in names}
    currencies = {name: products.market(name).currency for name in names}
    market = pl.col("market")
    return ticks.with_columns(
        unit=market.replace_strict(units, default=None, return_dtype=pl.String),
        currency=market.replace_strict(currencies, default=None, return_dtype=pl.String),
    )
