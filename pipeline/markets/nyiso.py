"""NYISO: the CSV files of LBMP by zone and by generator, and custom exports of the same prices.

One row is one price. Congestion is published with the opposite sign and energy not at all: the one is turned, the
other derived from it, row by row, so that price = energy + congestion + loss exactly.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from pipeline import checks, csvtable, documents, numbers, rejects, stamps
from pipeline.checks import Check
from pipeline.documents import PARSED, Document, ParsedDocument, refusal
from pipeline.markets import nyiso_reports, nyiso_stamps
from pipeline.schema import DIGITS, LIMIT, SCALE, shaped

_HEADER: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*[^\n]*")
_AMOUNTS: Final = ("price", "losses", "congestion")
_VALUES: Final = (
    pl.col("price").alias("LBMP"), pl.col("losses").alias("loss"), (-pl.col("congestion")).alias("MCC"),
    (pl.col("price") - pl.col("losses") + pl.col("congestion")).alias("energy"),
)  # fmt: skip
_ZONE_PTID: Final = r"^ *61[0-9]{3} *$"  # load zones and the neighbours' proxies

# (shape, what is wrong with a cell of another one)
_NAME: Final = (rejects.NAME, "is no name of a zone or generator (1 to 150 printable characters)")
_PTID: Final = (r"^ *[0-9]{1,9} *$", "is no point id")
_VERSION: Final = (r"^ *[0-9]{0,9} *$", "is no whole number")
_TOO_LARGE: Final = f"leaves an energy (LBMP - losses + congestion) outside ±10^{DIGITS - SCALE}"


def claims(name: str, head: bytes) -> bool:
    """Any of NYISO's CSV files, prices or not, by the first column of its header."""
    del name
    return nyiso_reports.is_ours(_names(head))


def parse(document: Document) -> ParsedDocument:
    """Every row as a tick or a refusal, but where its price is blank, `NaN`, `N/A` or `-`: a gap is neither.

    Raises `DataProcessingError` for a file that holds no prices, is in doubt, or is not of the wanted product.
    """
    documents.refuse_markup(document.content, "NYISO")
    source = csvtable.lines(_plain(document.content))
    columns = nyiso_reports.columns(source.names)
    table = csvtable.table(source, list(columns.values()))
    if not table.rows or not (table.cells.height or table.broken.height):
        raise refusal("the file holds no data row", "document", document.name)
    cells = table.cells.rename({name: role for role, name in columns.items()})
    cells = cells.with_columns(pl.col("name").str.strip_chars())
    naive = stamps.local(cells["stamp"])
    report = nyiso_reports.report(document, columns, naive)
    places = nyiso_stamps.places(naive, cells["name"], cells.get_column("zone", default=None), report)
    ticks, refused = _ticks(cells.hstack(places), columns, document.product)
    return ParsedDocument(ticks, documents.refusals(table.broken, refused), table.rows, source.header_line)


def _plain(content: bytes) -> bytes:
    """The document without quotes in its header: they hold no commas, and where the last name is cut, one is left."""
    header = _HEADER.match(content)
    end = header.end() if header else 0
    return b"".join((content[:end].replace(b'"', b""), memoryview(content)[end:]))


def _names(head: bytes) -> list[str]:
    header = _HEADER.match(head)
    text = header[0].decode("utf-8-sig", errors="replace") if header else ""
    return [name.strip().strip('"') for name in text.strip().split(",")]


def _ticks(rows: pl.DataFrame, columns: Mapping[str, str], wanted: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of rows with their PLACES."""
    values, unread = numbers.columns(rows.select(_AMOUNTS))
    odd = [problem.alias(f"{role} problem") for role, problem in unread.items()]
    read = rows.hstack([*values.select(_VALUES), *odd])
    good, refused = checks.parted(read, _checks(columns, wanted, list(unread)))
    priced = good.filter(pl.col("LBMP").is_not_null()) if good["LBMP"].null_count() else good
    return _shaped(priced, columns), refused


def _checks(columns: Mapping[str, str], wanted: str | None, unread: Sequence[str]) -> list[Check]:
    stamp, price = columns["stamp"], columns["price"]
    zone = [checks.told(columns["zone"], "zone", "zone problem")] if "zone" in columns else []
    version = [checks.unless(columns["version"], "version", *_VERSION)] if "version" in columns else []
    return [
        *([Check(stamp, "stamp", pl.col("product") != wanted, pl.lit(f"is not of {wanted}"))] if wanted else []),
        checks.told(stamp, "stamp", "problem"),
        checks.unless(columns["name"], "name", *_NAME),
        checks.unless(columns["ptid"], "ptid", *_PTID),
        *zone,
        *version,
        *(checks.told(columns[role], role, f"{role} problem") for role in unread),
        Check(price, "price", pl.col("energy").abs() >= LIMIT, pl.lit(_TOO_LARGE)),
    ]


def _shaped(ticks: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    kind = pl.when(pl.col("ptid").str.contains(_ZONE_PTID)).then(pl.lit("zone")).otherwise(pl.lit("generator"))
    version = pl.col("version").str.strip_chars().replace("", "0") if "version" in columns else pl.lit(0)
    return shaped(ticks, PARSED, {
        "market": pl.lit("nyiso"), "product": "product", "location": "name", "location_type": kind,
        "instrument": pl.format("nyiso.{}.{}", "product", "name"), "ts": "ts", "start": "start", "end": "end",
        "hold_end": "end", "price": "LBMP", "energy": "energy", "congestion": "MCC", "loss": "loss",
        "derived": pl.lit(value=True), "version": version, "row": "row",
    })  # fmt: skip
