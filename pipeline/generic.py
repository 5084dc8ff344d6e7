"""Generic ticks: the text cells of the envelopes to the contract of `TICKS`, and refusals with a reason."""

import re
from collections.abc import Callable
from typing import Final

import polars as pl

from pipeline import numbers, products, rejects, times
from pipeline.envelope import NUMBERS, RawBatch
from pipeline.rejects import Verdict
from pipeline.schema import INSTANT

MARKET: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
TENANT: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
QUOTES: Final = ("bid", "ask")
DERIVED: Final = "spread"  # the market of what follows from other prices: no message brings one
_LONGEST: Final = 200
_CONTROL: Final = r"[\x00-\x1f\x7f]"

Judge = Callable[[str | None], str | None]


def ticks(generic: pl.DataFrame, batch: RawBatch, default_tenant: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(ticks without flags, refusals with `index`) of the rows that `envelope.read` gave; each row is in one."""
    rows = generic.with_columns(
        pl.col("market").str.to_lowercase(),
        pl.col("tenant").fill_null(default_tenant),
        pl.col("product").str.to_lowercase().fill_null(products.STREAM.name),
    )
    ts, bad_time = times.instants(rows["timestamp"])
    read = _amounts(rows)
    verdicts = [
        Verdict("payload.market", generic["market"], _judged(rows["market"], market_problem)),
        Verdict("envelope.tenant_id", rows["tenant"], _judged(rows["tenant"], tenant_problem)),
        Verdict("payload.instrument_id", rows["instrument"], _instrument_problems(rows["instrument"])),
        Verdict("payload.product", generic["product"], _product_problems(rows)),
        Verdict("envelope.event_id", rows["event_id"], _too_long(rows["event_id"])),
        Verdict("payload.raw_data.timestamp", rows["timestamp"], bad_time),
        Verdict("payload.raw_data.price", rows["price"], _absent(*read["price"])),
        Verdict("payload.raw_data.volume", rows["volume"], _below_zero(*read["volume"])),
        *(Verdict(f"payload.raw_data.{name}", rows[name], read[name][1]) for name in QUOTES),
    ]
    refused = rejects.first_of_each(generic.select("index"), verdicts)
    cells = rows.with_columns(ts=ts, **{name: values for name, (values, _) in read.items()})
    good = cells.join(refused, on="index", how="anti") if refused.height else cells
    return _shaped(good, batch), refused.with_columns(row=pl.lit(0, dtype=pl.Int32), whole=pl.lit(value=True))


def _amounts(rows: pl.DataFrame) -> dict[str, tuple[pl.Series, pl.Series]]:
    """Values and problems of each number column; all are parsed as one."""
    values, problems = numbers.decimals(pl.concat([rows[name] for name in NUMBERS]))
    size = rows.height
    return {
        name: (values.slice(place * size, size), problems.slice(place * size, size))
        for place, name in enumerate(NUMBERS)
    }


def market_problem(name: str | None) -> str | None:
    """Why a lower-case name is no market name, or null."""
    if name == DERIVED:
        return "is the market of what follows from other prices: name that of the price itself"
    if name and MARKET.fullmatch(name):
        return None
    return "is not a market name ([a-z][a-z0-9_]*)" if name else "is absent"


def tenant_problem(name: str | None) -> str | None:
    """Why a text is no tenant, or null."""
    return None if name and TENANT.fullmatch(name) else "is not a tenant (1 to 64 of A-Z a-z 0-9 _ . -)"


def _judged(cells: pl.Series, judge: Judge) -> pl.Series:
    """The problem of each cell; only distinct cells are judged, for there are few."""
    distinct = cells.unique()
    problems = [judge(cell) for cell in distinct]
    if not any(problems):
        return rejects.no_problem(cells.len())
    table = pl.DataFrame({"cell": distinct, "problem": pl.Series(problems, dtype=pl.String)})
    return cells.to_frame("cell").join(table, on="cell", how="left", nulls_equal=True, maintain_order="left")["problem"]


def _instrument_problems(ids: pl.Series) -> pl.Series:
    reserved = "^(?:" + "|".join(re.escape(each) for each in products.namespaces()) + ")"
    distinct = ids.unique()
    wrong = distinct.is_null() | ~distinct.str.len_chars().is_between(1, _LONGEST)
    wrong |= distinct.str.contains(_CONTROL) | distinct.str.contains(reserved)
    if not wrong.fill_null(value=True).any():
        return rejects.no_problem(ids.len())
    return _judged(ids, instrument_problem)


def instrument_problem(name: str | None) -> str | None:
    """Why a generic tick may not bear this instrument id, or null."""
    if not name:
        return "is absent"
    if len(name) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    if re.search(_CONTROL, name):
        return "holds a control character"
    if name.startswith(products.namespaces()):
        return "belongs to an exchange's documents: only a document may bring its prices"
    return None


def _product_problems(rows: pl.DataFrame) -> pl.Series:
    if rows["product"].unique().to_list() == [products.STREAM.name]:
        return rejects.no_problem(rows.height)
    problems = {
        (market, product): _product_problem(market, product)
        for market, product in rows.select("market", "product").unique().iter_rows()
    }
    told = [problems[market, product] for market, product in rows.select("market", "product").iter_rows()]
    return pl.Series(told, dtype=pl.String)


def _product_problem(market: str | None, product: str) -> str | None:
    if not MARKET.fullmatch(product):
        return "is not a product name ([a-z][a-z0-9_]*)"
    if products.product(market or "", product).document:
        return f"is a product of {market}'s documents: only a document may bring its prices"
    return None


def _too_long(ids: pl.Series) -> pl.Series:
    problem = pl.Series([f"is longer than {_LONGEST} characters"])
    if (ids.str.len_chars().max() or 0) <= _LONGEST:  # pyright: ignore[reportOperatorIssue]
        return rejects.no_problem(ids.len())
    return problem.new_from_index(0, ids.len()).zip_with(ids.str.len_chars() > _LONGEST, rejects.no_problem(ids.len()))


def _absent(values: pl.Series, problems: pl.Series) -> pl.Series:
    """A price must be there: blank is a problem too."""
    blank = values.is_null() & problems.is_null()
    return problems.set(blank, "is absent") if blank.any() else problems


def _below_zero(values: pl.Series, problems: pl.Series) -> pl.Series:
    """A price may be negative, an amount that was traded may not."""
    negative = (values < 0).fill_null(value=False)
    return problems.set(negative, "is below 0") if negative.any() else problems


def _shaped(good: pl.DataFrame, batch: RawBatch) -> pl.DataFrame:
    """The columns of `TICKS` that a generic tick fills, `flags` apart."""
    index = good["index"]
    return good.select(
        *("tenant", "instrument", "market", "product", "ts", *NUMBERS),
        pl.Series("offset", batch.offsets, dtype=pl.Int64).gather(index),
        pl.Series("known_at", batch.known_at_us, dtype=pl.Int64).gather(index).cast(INSTANT),
        _event_ids(good["event_id"], index, batch),
        pl.col("source").fill_null("").str.slice(0, _LONGEST),
        start=pl.col("ts"),
        source_rank=pl.lit(1, dtype=pl.UInt8),
        version=pl.lit(0, dtype=pl.Int64),
        topic_id=pl.lit(batch.topic_id),
        partition=pl.lit(batch.partition, dtype=pl.Int32),
        row=pl.lit(0, dtype=pl.Int32),
    )


def _event_ids(ids: pl.Series, index: pl.Series, batch: RawBatch) -> pl.Series:
    """The producers' own ids; a message without one is known by its position, one that was sent again by its first."""
    unnamed = (ids.is_null() | (ids == "")).arg_true()
    positions = [f"{batch.topic_id}/{batch.partition}/{batch.offsets[index[row]]}" for row in unnamed]
    if batch.origins:
        positions = [batch.origins.get(index[row], own) for row, own in zip(unnamed, positions, strict=True)]
    return ids.scatter(unnamed, positions) if positions else ids
