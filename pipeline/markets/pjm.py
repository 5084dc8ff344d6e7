"""PJM Data Miner 2: the LMP feeds as CSV export and as API answer (JSON).

One row is one price. Instants come from the UTC column, interval BEGINNING; Eastern time beside it must agree. Verified
feeds number their versions from 1 on; unverified ones give no version (0) and no energy, which follows from the rest.
rt_unverified_hrl_lmps gives no pnode id either: its locations are names, instruments beside those of the ids.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline import csvtable, documents, jsontable, numbers, rejects
from pipeline.csvtable import Table
from pipeline.documents import PARSED, REFUSED_ROWS, Document, ParsedDocument, refusal
from pipeline.markets import pjm_columns, pjm_feeds, pjm_places, pjm_stamps
from pipeline.markets.pjm_feeds import Feed
from pipeline.rejects import Verdict
from pipeline.schema import DIGITS, PRICE, SCALE, conform

_AMOUNTS: Final = ("price", "energy", "congestion", "loss")
_VERSION: Final = (r"^ *[0-9]{0,9} *$", "is no whole number")
_LIMIT: Final = 10 ** (DIGITS - SCALE)
_TOO_LARGE: Final = f"leaves an energy (total - congestion - loss) outside ±10^{DIGITS - SCALE}"


def claims(name: str, head: bytes) -> bool:
    """Any feed of Data Miner, prices or not, and the API's error answers that name PJM."""
    return pjm_feeds.is_ours(name, head)


def detect(name: str, head: bytes) -> str | None:
    """The product of an LMP feed, by its columns, its address or name, and its first rows."""
    return pjm_feeds.guessed(name, head)


def parse(document: Document) -> ParsedDocument:
    """Every row as a tick or a refusal, but where its price is missing: a gap is neither.

    Rows whose `row_is_current` is False are ticks too: their lower version makes them history. Raises
    `DataProcessingError` for a feed without LMP, an error answer, or a file of another product.
    """
    documents.refuse_markup(document.content, "PJM")
    pjm_feeds.refuse_unknown(document.product)
    names, columns, table, header_line = _read(document.content, document.product)
    if not table.rows or not (table.cells.height or table.broken.height):
        raise refusal("the feed holds no data row", "document", document.name)
    cells = table.cells.rename({name: role for role, name in columns.items()})
    stamps = pjm_stamps.read(cells)
    feed = pjm_feeds.feed(document, names, columns, stamps["start"])
    timed = cells.hstack(pjm_stamps.intervals(stamps, feed.length))
    ticks, refused = _ticks(timed.hstack(pjm_places.places(timed, columns, feed.product)), columns, feed)
    return ParsedDocument(ticks, pl.concat([table.broken, refused]).sort("row"), table.rows, header_line)


def _read(content: bytes, wanted: str | None) -> tuple[list[str], dict[str, str], Table, int]:
    """The names, those of each role, their columns, and the line after which the rows stand (0: an API answer's are
    counted)."""
    if jsontable.is_json(content[:1024]):
        names = pjm_feeds.json_names(content)
        columns = pjm_columns.columns(names, wanted)
        path = pjm_feeds.items_path(content)
        return names, columns, jsontable.objects(content, path, list(columns.values())), 0
    source = csvtable.lines(content)
    columns = pjm_columns.columns(source.names, wanted)
    return source.names, columns, csvtable.table(source, list(columns.values())), source.header_line


def _ticks(rows: pl.DataFrame, columns: Mapping[str, str], feed: Feed) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of rows with their intervals and places."""
    read = {role: numbers.amounts(rows[role]) for role in _AMOUNTS if role in columns}
    amounts = pl.DataFrame({role: values for role, (values, _) in read.items()})
    if feed.derived:
        amounts = amounts.with_columns(energy=pl.col("price") - pl.col("congestion") - pl.col("loss"))
    energy = amounts.get_column("energy", default=pl.repeat(None, rows.height, dtype=PRICE, eager=True))
    verdicts = [
        *_place_verdicts(rows, columns),
        *(Verdict(columns[role], rows[role], problem) for role, (_, problem) in read.items()),
        Verdict(columns["price"], rows["price"], _unheld(energy)),
    ]
    refused = rejects.first_of_each(rows.select("row"), verdicts).select(list(REFUSED_ROWS))
    there = amounts["price"].is_not_null() & ~rows["row"].is_in(refused["row"].implode())
    return _shaped(rows.drop(read.keys()).hstack(amounts).filter(there), columns, feed), refused


def _unheld(energy: pl.Series) -> pl.Series:
    return rejects.no_problem(energy.len()).set(energy.abs() >= _LIMIT, _TOO_LARGE)


def _place_verdicts(rows: pl.DataFrame, columns: Mapping[str, str]) -> list[Verdict]:
    found = [
        Verdict(columns[role], rows[role], rows[f"{role} problem"])
        for role in ("utc", "ept", *pjm_places.ROLES)
        if role in columns
    ]
    if "version" in columns:
        version = rows["version"]
        found.append(Verdict(columns["version"], version, rejects.unless(version.fill_null(""), *_VERSION)))
    return found


def _shaped(ticks: pl.DataFrame, columns: Mapping[str, str], feed: Feed) -> pl.DataFrame:
    there = [name for name in PARSED if name in ticks.columns and name != "version"]
    shaped = ticks.select(
        *there,
        market=pl.lit("pjm"),
        product=pl.lit(feed.product),
        ts=pl.col("start"),
        hold_end=pl.col("end"),
        derived=pl.lit(feed.derived),
        version=_version(columns),
    )
    return conform(documents.published(shaped), PARSED)


def _version(columns: Mapping[str, str]) -> pl.Expr:
    """A blank version of a verified feed is its first; unverified feeds stay below every verified one."""
    first = pl.lit(pjm_columns.first_version(columns), dtype=pl.Int64)
    if "version" not in columns:
        return first
    return pl.col("version").str.strip_chars().replace("", None).cast(pl.Int64).fill_null(first)
