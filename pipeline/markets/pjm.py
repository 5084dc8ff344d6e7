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
from pipeline.markets import pjm_columns, pjm_feeds, pjm_stamps
from pipeline.markets.pjm_feeds import Feed
from pipeline.rejects import Verdict
from pipeline.schema import DIGITS, SCALE, conform

_AMOUNTS: Final = ("price", "energy", "congestion", "loss")
_PNODE: Final = (r"^ *[0-9]{1,15} *$", "is no pnode id")
_NAME: Final = (rejects.NAME, "is no name of a pnode (1 to 150 printable characters)")
_MANY: Final = "stands for several prices of the interval and no pnode_id tells them apart: send rt_hrl_lmps"
_TEXT: Final = (r"^[^\x00-\x1f\x7f]{0,150}$", "is no text of at most 150 printable characters")
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
    ticks, refused = _ticks(cells.hstack(pjm_stamps.places(stamps, feed.length)), columns, feed)
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
    """(PARSED, REFUSED_ROWS) of rows with their places."""
    read = {role: numbers.decimals(rows[role]) for role in _AMOUNTS if role in columns}
    amounts = pl.DataFrame({role: values for role, (values, _) in read.items()})
    if feed.derived:
        amounts = amounts.with_columns(energy=pl.col("price") - pl.col("congestion") - pl.col("loss"))
    verdicts = [
        *_place_verdicts(rows, columns),
        *(Verdict(columns[role], rows[role], _unread(rows[role], problem)) for role, (_, problem) in read.items()),
        Verdict(columns["price"], rows["price"], _unheld(amounts["energy"])),
    ]
    refused = rejects.first_of_each(rows.select("row"), verdicts).select(list(REFUSED_ROWS))
    there = amounts["price"].is_not_null() & ~rows["row"].is_in(refused["row"].implode())
    return _shaped(rows.drop(read.keys()).hstack(amounts).filter(there), columns, feed), refused


def _unread(cells: pl.Series, problem: pl.Series) -> pl.Series:
    return problem.set(numbers.missing(cells), None) if problem.null_count() < problem.len() else problem


def _unheld(energy: pl.Series) -> pl.Series:
    return rejects.no_problem(energy.len()).set(energy.abs() >= _LIMIT, _TOO_LARGE)


def _place_verdicts(rows: pl.DataFrame, columns: Mapping[str, str]) -> list[Verdict]:
    problems = {
        "utc": rows["utc problem"],
        "ept": rows["ept problem"],
        "pnode": _place_problem(rows, columns),
        "name": _unless(rows["name"], *_TEXT) if "name" in columns else None,
        "type": _unless(rows["type"], *_TEXT) if "type" in columns else None,
        "version": _unless(rows["version"], *_VERSION) if "version" in columns else None,
    }
    return [
        Verdict(columns[role], rows[role], problem)
        for role, problem in problems.items()
        if problem is not None and role in columns
    ]


def _place_problem(rows: pl.DataFrame, columns: Mapping[str, str]) -> pl.Series:
    if columns["pnode"] == pjm_columns.ID:
        return _unless(rows["pnode"], *_PNODE)
    place = ("start", pl.col("pnode").str.strip_chars())
    prices = pl.struct(role for role in ("type", "price", "congestion", "loss") if role in columns)
    many = rows.select((prices.n_unique().over(*place) > 1).alias("many"))["many"]
    return _unless(rows["pnode"].str.strip_chars(), *_NAME).set(many, _MANY)


def _unless(cells: pl.Series, shape: str, problem: str) -> pl.Series:
    return rejects.unless(cells.fill_null(""), shape, problem)


def _shaped(ticks: pl.DataFrame, columns: Mapping[str, str], feed: Feed) -> pl.DataFrame:
    location = pl.col("pnode").str.strip_chars()
    if columns["pnode"] == pjm_columns.ID:
        location = location.cast(pl.Int64).cast(pl.String)  # without zeros before it
    shaped = ticks.select(
        *("start", "end", "price", "energy", "congestion", "loss", "row"),
        market=pl.lit("pjm"),
        product=pl.lit(feed.product),
        location=location,
        location_type=_text("type", columns),
        location_name=_text("name", columns),
        instrument=pl.format("pjm.{}.{}", pl.lit(feed.product), location),
        ts=pl.col("start"),
        hold_end=pl.col("end"),
        derived=pl.lit(feed.derived),
        version=_version(columns),
    )
    return conform(documents.published(shaped), PARSED)


def _text(role: str, columns: Mapping[str, str]) -> pl.Expr:
    return pl.col(role).str.strip_chars().replace("", None) if role in columns else pl.lit(None, dtype=pl.String)


def _version(columns: Mapping[str, str]) -> pl.Expr:
    """A blank version of a verified feed is its first; unverified feeds stay below every verified one."""
    first = pl.lit(pjm_columns.first_version(columns), dtype=pl.Int64)
    if "version" not in columns:
        return first
    return pl.col("version").str.strip_chars().replace("", None).cast(pl.Int64).fill_null(first)
