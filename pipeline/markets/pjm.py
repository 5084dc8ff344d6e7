"""PJM Data Miner 2: the LMP feeds as CSV export and as API answer (JSON).

One row is one price. Instants come from the UTC column, interval BEGINNING; Eastern time beside it must agree. Verified
feeds number their versions from 1 on; unverified ones give no version (0) and no energy, which follows from the rest.
rt_unverified_hrl_lmps gives no pnode id either: its locations are names, instruments beside those of the ids.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from pipeline import checks, csvtable, documents, jsontable, numbers
from pipeline.checks import Check
from pipeline.csvtable import Table
from pipeline.documents import PARSED, Document, ParsedDocument, refusal
from pipeline.markets import pjm_columns, pjm_feeds, pjm_places, pjm_stamps
from pipeline.markets.pjm_feeds import Feed
from pipeline.schema import DIGITS, LIMIT, SCALE, shaped

_AMOUNTS: Final = ("price", "energy", "congestion", "loss")
_VERSION: Final = (r"^ *[0-9]{0,9} *$", "is no whole number")
_TOO_LARGE: Final = f"leaves an energy (total - congestion - loss) outside ±10^{DIGITS - SCALE}"


def claims(name: str, head: bytes) -> bool:
    """Any feed of Data Miner, prices or not, and the API's error answers that name PJM."""
    return pjm_feeds.is_ours(name, head)


def parse(document: Document) -> ParsedDocument:
    """Every row as a tick or a refusal, but where its price is missing: a gap is neither.

    Rows whose `row_is_current` is False are ticks too: their lower version makes them history. Raises
    `DataProcessingError` for a feed without LMP, an error answer, or a file of another product.
    """
    documents.refuse_markup(document.content, "PJM")
    documents.refuse_unknown(document.product, pjm_feeds.PRODUCTS, "PJM")
    names, columns, table, header_line = _read(document.content, document.product)
    if not table.rows or not (table.cells.height or table.broken.height):
        raise refusal("the feed holds no data row", "document", document.name)
    cells = table.cells.rename({name: role for role, name in columns.items()})
    timed = cells.hstack(pjm_stamps.read(cells))
    feed = pjm_feeds.feed(document, names, columns, timed["start"])
    ticks, refused = _ticks(timed, columns, feed)
    return ParsedDocument(ticks, documents.refusals(table.broken, refused), table.rows, header_line)


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
    """(PARSED, REFUSED_ROWS) of rows with their stamps read."""
    values, unread = numbers.columns(rows.select(role for role in _AMOUNTS if role in columns))
    if feed.derived:
        values = values.with_columns(energy=pl.col("price") - pl.col("congestion") - pl.col("loss"))
    odd = [problem.alias(f"{role} problem") for role, problem in unread.items()]
    read = rows.hstack([*(each.alias(f"{each.name} value") for each in values.iter_columns()), *odd])
    located = pjm_places.located(read, columns)
    good, refused = checks.parted(located, _checks(columns, feed, list(unread)))
    priced = good.filter(pl.col("price value").is_not_null()) if good["price value"].null_count() else good
    return documents.published(_shaped(priced, columns, feed)), refused


def _checks(columns: Mapping[str, str], feed: Feed, unread: Sequence[str]) -> list[Check]:
    price, energy = columns["price"], pl.col("energy value")
    return [
        *pjm_stamps.checks(columns, feed.length),
        *pjm_places.checks(columns),
        *([checks.unless(columns["version"], "version", *_VERSION)] if "version" in columns else []),
        *(checks.told(columns[role], role, f"{role} problem") for role in unread),
        *([Check(price, "price", energy.abs() >= LIMIT, pl.lit(_TOO_LARGE))] if feed.derived else []),
    ]


def _shaped(rows: pl.DataFrame, columns: Mapping[str, str], feed: Feed) -> pl.DataFrame:
    end = pl.col("start") + feed.length
    return shaped(rows, PARSED, {
        "market": pl.lit("pjm"), "product": pl.lit(feed.product), **pjm_places.described(columns),
        "instrument": pl.format("pjm.{}.{}", pl.lit(feed.product), "location"),
        "ts": "start", "start": "start", "end": end, "hold_end": end,
        **{role: f"{role} value" for role in _AMOUNTS if f"{role} value" in rows.columns},
        "derived": pl.lit(feed.derived), "version": _version(columns), "row": "row",
    })  # fmt: skip


def _version(columns: Mapping[str, str]) -> pl.Expr:
    """A blank version of a verified feed is its first; unverified feeds stay below every verified one."""
    first = pl.lit(pjm_columns.first_version(columns), dtype=pl.Int64)
    if "version" not in columns:
        return first
    return pl.col("version").str.strip_chars().replace("", None).cast(pl.Int64).fill_null(first)
