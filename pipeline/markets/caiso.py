"""CAISO OASIS: the LMP reports of DAM, HASP, RTPD and RTM as CSV and as XML.

Long rows, one price component each, are read here and joined to ticks by `caiso_lmp`. Instants come from the GMT
columns, which run on through the clock changes; the price column is called MW, PRC or VALUE and all three are USD/MWh.
"""

import re
from typing import Final

import polars as pl

from pipeline import csvtable, numbers, products, rejects, times
from pipeline.bars import INTERVALS
from pipeline.csvtable import Table
from pipeline.documents import PARSED, REFUSED_ROWS, Document, ParsedDocument, Parts, refusal
from pipeline.markets import caiso_lmp, caiso_xml
from pipeline.markets.caiso_lmp import COMPONENTS, KIND, LMP, NODE
from pipeline.rejects import Verdict
from pipeline.schema import empty

START: Final = "INTERVALSTARTTIME_GMT"
END: Final = "INTERVALENDTIME_GMT"
RUN: Final = "MARKET_RUN_ID"
PRICE_COLUMNS: Final = ("MW", "PRC", "VALUE")

RUNS: Final = {"DAM": "da_hourly", "HASP": "hasp_15min", "RTPD": "rt_15min", "RTM": "rt_5min"}
_KINDS: Final = f"^(?:{'|'.join((LMP, *COMPONENTS))})$"
_MICROS: Final = 1_000_000
_REPORT: Final = b"OASISReport"
_ERROR: Final = re.compile(
    r"ERR_CODE>\s*(?P<code>[^<]{0,40}?)\s*<.*?(?:ERR_DESC>\s*(?P<text>[^<]{0,400}?)\s*<|$)", re.DOTALL
)
_NODE_PROBLEM: Final = "is not a node name (1 to 150 printable characters)"


def claims(name: str, head: bytes) -> bool:
    """Any answer of OASIS: a CSV report with its time columns, an XML report, an error answer."""
    del name  # OASIS's file names are often changed on the way: the content decides
    return _REPORT in head or START.encode() in _first_line(head)


def detect(name: str, head: bytes) -> str | None:
    """The product of an LMP report, by the market run of its first row, or of its header as XML."""
    del name
    if caiso_xml.is_report(head):
        return RUNS.get(caiso_xml.run_of(head))
    header, _, rest = head.partition(b"\n")
    names = [cell.strip() for cell in header.decode(errors="replace").split(",")]
    cells = rest.partition(b"\n")[0].decode(errors="replace").split(",")
    if _lacking(names) or len(cells) != len(names):
        return None
    return RUNS.get(cells[names.index(RUN)].strip())


def parse(document: Document) -> ParsedDocument:
    """The rows of an LMP report as parts, for a group report spreads its components over one file each.

    `row` is the line of the LMP row, counted after the header. An LMP that is blank, `NaN`, `N/A` or `-` says that
    there is no price: no tick, and no refusal either. Equal rows that follow each other for one node and interval
    are one publication, different ones are several. The records of an XML report are its rows. Raises
    `DataProcessingError` for an error answer, or a report that is not LMP.
    """
    _refuse_markup(document.content)
    if caiso_xml.is_report(document.content[: 64 * 1024]):
        return _parsed(document, caiso_xml.table(document.content), "VALUE", 0)
    source = csvtable.lines(document.content)
    _refuse_look_alike(source.names)
    price = _price_column(source.names)
    return _parsed(document, csvtable.table(source, [START, END, NODE, RUN, KIND, price]), price, source.header_line)


def _parsed(document: Document, table: Table, price: str, header_line: int) -> ParsedDocument:
    if not table.rows or not (table.cells.height or table.broken.height):
        raise refusal("the report holds no data row", "document", document.name)
    _refuse_other_product(document.product)
    _refuse_other_runs(table.cells[RUN], document.product)
    parts, refused = _parts(table.cells, price, document.product)
    bad = pl.concat([table.broken, refused]).sort("row")
    return ParsedDocument(empty(PARSED), bad, table.rows, header_line, Parts(parts, caiso_lmp.join))


def _first_line(head: bytes) -> bytes:
    return head.lstrip().partition(b"\n")[0]


def _refuse_markup(content: bytes) -> None:
    head = content.removeprefix(b"\xef\xbb\xbf")[: 64 * 1024].lstrip()
    if not head.startswith(b"<"):
        return
    if _REPORT not in head:
        raise refusal("this is a web page or other markup, no OASIS document", "document", _shown(head))
    error = _ERROR.search(head.decode(errors="replace"))
    if error:
        answer = f"{error['code']}: {error['text'] or 'no description'}"
        raise refusal(f"OASIS answered with error {answer}", "ERR_CODE", error["code"])


def _shown(head: bytes) -> str:
    return head[: rejects.SHOWN].decode(errors="replace")


def _lacking(names: list[str]) -> list[str]:
    return [name for name in (START, END, NODE, RUN, KIND) if name not in names]


def _refuse_look_alike(names: list[str]) -> None:
    lacking = _lacking(names)
    if lacking:
        reason = f"this is no LMP report of OASIS: it has no column {', '.join(lacking)}"
        raise refusal(reason, "header", ",".join(names))


def _price_column(names: list[str]) -> str:
    found = [name for name in PRICE_COLUMNS if name in names]
    if len(found) != 1:
        reason = f"one price column of {', '.join(PRICE_COLUMNS)} is expected, the header has {len(found)}"
        raise refusal(reason, "header", ",".join(names))
    return found[0]


def _refuse_other_product(product: str | None) -> None:
    if product is not None and product not in RUNS.values():
        known = ", ".join(RUNS.values())
        raise refusal(f"product {product[:64]!r} is none of CAISO's ({known})", "product", product)


def _refuse_other_runs(runs: pl.Series, product: str | None) -> None:
    """Rows of other market runs are refused one by one; a report without any row of a wanted run as a whole."""
    wanted = [run for run, name in RUNS.items() if product in (None, name)]
    found = runs.unique().sort().to_list()
    if found and not set(found) & set(wanted):
        shown = ", ".join(run[: rejects.SHOWN] for run in found[:5])
        reason = f"no row is of market run {', '.join(wanted)}: the report holds {shown}"
        raise refusal(reason, RUN, found[0])


def _parts(cells: pl.DataFrame, price: str, expected: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(`caiso_lmp.PARTS` of the rows whose node, interval and kind are known, REFUSED_ROWS).

    A row that is refused for its price alone stays among the parts: it keeps its place among the publications.
    """
    timed = cells.join(_intervals(cells, expected), on=[RUN, START, END], how="left", maintain_order="left")
    value, problem = numbers.decimals(cells[price])
    missing = numbers.missing(cells[price]) if value.null_count() else value.is_null()
    places = [
        *(Verdict(name, cells[name], timed[f"{name} problem"]) for name in (RUN, START, END)),
        Verdict(NODE, cells[NODE], rejects.unless(cells[NODE], rejects.NAME, _NODE_PROBLEM)),
        Verdict(KIND, cells[KIND], rejects.unless(cells[KIND], _KINDS, "is no part of an LMP")),
    ]
    verdicts = [*places, Verdict(price, cells[price], problem.set(missing, None))]
    refused = rejects.first_of_each(cells.select("row"), verdicts).select(list(REFUSED_ROWS))
    placed = pl.select(pl.all_horizontal(verdict.problem.is_null() for verdict in places)).to_series()
    bad = timed["row"].is_in(refused["row"].implode())
    read = timed.with_columns(value=value.set(bad, None), refused=bad)
    return read.select(list(caiso_lmp.PARTS)).filter(placed), refused


def _intervals(cells: pl.DataFrame, expected: str | None) -> pl.DataFrame:
    """Product, instants and problems of each distinct (market run, start, end); there are few."""
    distinct = cells.select(RUN, START, END).unique()
    product = distinct[RUN].replace_strict(RUNS, default=None, return_dtype=pl.String)
    start, bad_start = times.instants(distinct[START])
    end, bad_end = times.instants(distinct[END])
    native = product.replace_strict(_native_seconds(), default=None, return_dtype=pl.Int64)
    return distinct.with_columns(product=product, start=start, end=end, native=native).with_columns(
        _run_problem(expected).alias(f"{RUN} problem"),
        pl.coalesce(bad_start, _grid_problem()).alias(f"{START} problem"),
        pl.coalesce(bad_end, _length_problem()).alias(f"{END} problem"),
        interval=_interval(),
    )


def _native_seconds() -> dict[str, int]:
    named = {each: products.product("caiso", each).interval for each in RUNS.values()}
    return {each: INTERVALS[name].seconds or 0 for each, name in named.items() if name}


def _run_problem(expected: str | None) -> pl.Expr:
    other = pl.lit(value=False) if expected is None else pl.col("product") != expected
    return (
        pl.when(pl.col("product").is_null())
        .then(pl.lit(f"is no market run with LMP ({', '.join(RUNS)})"))
        .when(other)
        .then(pl.lit(f"is not the market run of {expected}"))
    )


def _interval() -> pl.Expr:
    """A number for each product and start, the same in every document; null off the product's grid."""
    place = pl.col("product").replace_strict(
        {name: place for place, name in enumerate(RUNS.values())}, default=None, return_dtype=pl.Int64
    )
    minutes = pl.col("start").dt.epoch("us") // (60 * _MICROS)
    return pl.when(_grid_problem().is_null()).then(minutes * len(RUNS) + place)


def _grid_problem() -> pl.Expr:
    """Clocks are set by whole hours where CAISO is, so an interval of an hour or less begins on the UTC grid."""
    return pl.when(pl.col("start").dt.epoch("us") % (pl.col("native") * _MICROS) != 0).then(
        pl.format("begins no interval of {} s", "native")
    )


def _length_problem() -> pl.Expr:
    length = (pl.col("end") - pl.col("start")).dt.total_microseconds()
    seconds = (length / _MICROS).cast(pl.String).str.strip_suffix(".0")
    return pl.when(length != pl.col("native") * _MICROS).then(
        pl.format("ends an interval of {} s, the product's have {} s", seconds, "native")
    )
