"""CAISO OASIS: the LMP reports of DAM, HASP, RTPD and RTM as CSV.

Long rows, one price component each, become one tick a node and interval. Instants come from the GMT columns,
which run on through the clock changes; the price column is called MW, PRC or VALUE and all three are USD/MWh.
"""

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from pipeline import csvtable, numbers, products, rejects, times
from pipeline.bars import INTERVALS
from pipeline.documents import PARSED, REFUSED_ROWS, Document, ParsedDocument, refusal
from pipeline.rejects import Verdict
from pipeline.schema import conform

START: Final = "INTERVALSTARTTIME_GMT"
END: Final = "INTERVALENDTIME_GMT"
NODE: Final = "NODE"
RUN: Final = "MARKET_RUN_ID"
KIND: Final = "LMP_TYPE"
PRICE_COLUMNS: Final = ("MW", "PRC", "VALUE")

RUNS: Final = {"DAM": "da_hourly", "HASP": "hasp_15min", "RTPD": "rt_15min", "RTM": "rt_5min"}
COMPONENTS: Final = {"MCE": "energy", "MCC": "congestion", "MCL": "loss", "MGHG": "ghg"}
LMP: Final = "LMP"
_KEY: Final = ("interval", NODE)  # interval: a number for each (product, start)
_REPORT: Final = b"OASISReport"
_ERROR: Final = re.compile(
    r"ERR_CODE>\s*(?P<code>[^<]{0,40}?)\s*<.*?(?:ERR_DESC>\s*(?P<text>[^<]{0,400}?)\s*<|$)", re.DOTALL
)
_NODE_PROBLEM: Final = "is not a node name (1 to 150 printable characters)"
_NODE_SHAPE: Final = r"^[^\x00-\x20\x7f\x{fffd}](?:[^\x00-\x1f\x7f\x{fffd}]{0,148}[^\x00-\x20\x7f\x{fffd}])?$"


def claims(name: str, head: bytes) -> bool:
    """Any answer of OASIS: a CSV report with its time columns, an XML report, an error answer."""
    del name  # OASIS's file names are often changed on the way: the content decides
    return _REPORT in head or START.encode() in _first_line(head)


def detect(name: str, head: bytes) -> str | None:
    """The product of an LMP report, by the market run of its first row."""
    del name
    header, _, rest = head.partition(b"\n")
    names = [cell.strip() for cell in header.decode(errors="replace").split(",")]
    cells = rest.partition(b"\n")[0].decode(errors="replace").split(",")
    if _lacking(names) or len(cells) != len(names):
        return None
    return RUNS.get(cells[names.index(RUN)].strip())


def parse(document: Document) -> ParsedDocument:
    """Ticks and refused rows of an LMP report; `row` is the line of the LMP row, counted after the header.

    An LMP that is blank, `NaN`, `N/A` or `-` says that there is no price: no tick, and no refusal either.
    Equal rows that follow each other for one node and interval are one publication, different ones are several.
    Raises `DataProcessingError` for an error answer, XML, or a report that is not LMP.
    """
    _refuse_markup(document.content)
    source = csvtable.lines(document.content)
    _refuse_look_alike(source.names)
    price = _price_column(source.names)
    table = csvtable.table(source, [START, END, NODE, RUN, KIND, price])
    if not table.rows or not (table.cells.height or table.broken.height):
        raise refusal("the report holds no data row", "document", document.name)
    _refuse_other_product(document.product)
    _refuse_other_runs(table.cells[RUN], document.product)
    parts, refused = _parts(table.cells, price, document.product)
    ticks, orphans = _pivot(parts)
    bad = pl.concat([table.broken, refused, orphans]).sort("row")
    if ticks.is_empty() and bad.is_empty():
        raise refusal(f"the report holds no price: every {price} of an LMP is missing", price, "")
    return ParsedDocument(_shaped(ticks), bad, table.rows, source.header_line)


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
    reason = "OASIS XML reports cannot be read: fetch the report as CSV (resultformat=6)"
    raise refusal(reason, "document", _shown(head))


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
        reason = f"no row is of market run {', '.join(wanted)}: the report holds {', '.join(found[:5])}"
        raise refusal(reason, RUN, found[0])


def _parts(cells: pl.DataFrame, price: str, expected: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(`interval, product, NODE, start, end, KIND, value, row` of the rows that can be read, REFUSED_ROWS)."""
    timed = cells.join(_intervals(cells, expected), on=[RUN, START, END], how="left", maintain_order="left")
    value, problem = numbers.decimals(cells[price])
    missing = numbers.missing(cells[price]) if value.null_count() else value.is_null()
    verdicts = [
        *(Verdict(name, cells[name], timed[f"{name} problem"]) for name in (RUN, START, END)),
        Verdict(NODE, cells[NODE], _unless(cells[NODE], _NODE_SHAPE, _NODE_PROBLEM)),
        Verdict(
            KIND, cells[KIND], _unless(cells[KIND], f"^(?:{'|'.join((LMP, *COMPONENTS))})$", "is no part of an LMP")
        ),
        Verdict(price, cells[price], problem.set(missing, None)),
    ]
    refused = rejects.first_of_each(cells.select("row"), verdicts).select(list(REFUSED_ROWS))
    read = timed.select("interval", "product", NODE, "start", "end", KIND, "row", value.alias("value"))
    return (read.join(refused, on="row", how="anti") if refused.height else read), refused


def _intervals(cells: pl.DataFrame, expected: str | None) -> pl.DataFrame:
    """Product, instants and problems of each distinct (market run, start, end); there are few."""
    distinct = cells.select(RUN, START, END).unique()
    product = distinct[RUN].replace_strict(RUNS, default=None, return_dtype=pl.String)
    start, bad_start = times.instants(distinct[START])
    end, bad_end = times.instants(distinct[END])
    native = product.replace_strict(_native_seconds(), default=None, return_dtype=pl.Int64)
    return distinct.with_columns(product=product, start=start, end=end, native=native).with_columns(
        _run_problem(expected).alias(f"{RUN} problem"),
        bad_start.alias(f"{START} problem"),
        pl.coalesce(bad_end, _length_problem()).alias(f"{END} problem"),
        interval=pl.struct("product", "start").rank("dense"),
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


def _length_problem() -> pl.Expr:
    seconds = (pl.col("end") - pl.col("start")).dt.total_seconds()
    return pl.when(seconds != pl.col("native")).then(
        pl.format("ends an interval of {} s, the product's have {} s", seconds, "native")
    )


def _unless(cells: pl.Series, shape: str, problem: str) -> pl.Series:
    """The problem where a cell does not have the shape; only distinct cells are looked at."""
    distinct = cells.unique()
    wrong = distinct.filter(~distinct.str.contains(shape))
    if not wrong.len():
        return rejects.no_problem(cells.len())
    return pl.select(pl.when(cells.is_in(wrong.implode())).then(pl.lit(problem))).to_series()


def _pivot(parts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(one row a publication with its components, REFUSED_ROWS for components without an LMP row)."""
    prices, others = parts.filter(pl.col(KIND) == LMP), parts.filter(pl.col(KIND) != LMP)
    prices, priced = prices.drop(KIND).rename({"value": "price"}), pl.col("price").is_not_null()
    orphans = _orphaned(others.join(prices, on=_KEY, how="anti"))
    once = _with_components(prices, others, _KEY)
    if once.height == prices.height and once.select(_KEY).n_unique() == once.height:
        return once.filter(priced), orphans
    numbered = prices.with_columns(nth=pl.int_range(pl.len(), dtype=pl.UInt32).over(_KEY))
    nth = others.with_columns(nth=pl.int_range(pl.len(), dtype=pl.UInt32).over(*_KEY, KIND))
    several = _with_components(numbered, _within(nth, numbered), (*_KEY, "nth"))
    return _publications(several.filter(priced)), orphans


def _with_components(prices: pl.DataFrame, others: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    for kind, component in COMPONENTS.items():
        cells = others.filter(pl.col(KIND) == kind).select(*key, pl.col("value").alias(component))
        prices = prices.join(cells, on=key, how="left", maintain_order="left")
    return prices


def _within(others: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """The n-th row of a component belongs to the n-th LMP row; further ones replace that of the last LMP row."""
    last = prices.group_by(_KEY).agg(last=pl.col("nth").max())
    return (
        others.join(last, on=_KEY)
        .with_columns(nth=pl.min_horizontal("nth", "last"))
        .unique([*_KEY, KIND, "nth"], keep="last", maintain_order=True)
    )


def _publications(prices: pl.DataFrame) -> pl.DataFrame:
    """Components not said again hold on; a publication equal to the one before it is none."""
    values = ["price", *COMPONENTS.values()]
    held = prices.sort("row").with_columns(pl.col(list(COMPONENTS.values())).forward_fill().over(_KEY))
    same = pl.all_horizontal(pl.col(value).eq_missing(pl.col(value).shift().over(_KEY)) for value in values)
    return held.filter((pl.int_range(pl.len()).over(_KEY) == 0) | ~same)


def _orphaned(orphans: pl.DataFrame) -> pl.DataFrame:
    reason = pl.format("{} of {} has no LMP row for its interval: a price without LMP is none", KIND, NODE)
    return orphans.select("row", pl.lit(KIND).alias("field"), pl.col(KIND).alias("value"), reason.alias("reason"))


def _shaped(ticks: pl.DataFrame) -> pl.DataFrame:
    return conform(
        ticks.sort("row").select(
            *("product", "start", "end", "price", *COMPONENTS.values(), "row"),
            market=pl.lit("caiso"),
            location=pl.col(NODE),
            instrument=pl.format("caiso.{}.{}", "product", NODE),
            ts=pl.col("start"),
            hold_end=pl.col("end"),
            version=pl.lit(0, dtype=pl.Int64),
        ),
        PARSED,
    )
