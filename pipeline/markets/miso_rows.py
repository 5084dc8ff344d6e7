"""What all documents of MISO share: its clock, its way to write amounts, and prices of intervals as ticks.

MISO's clock shows Eastern Standard Time all year, five hours behind UTC: every day has 24 hours. Energy (MEC) stands in
few documents; elsewhere it follows exactly, row by row: MEC = LMP - MCC - MLC.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import csvtable, numbers, rejects, stamps, times
from pipeline.csvtable import Lines
from pipeline.documents import PARSED, REFUSED_ROWS, refusal
from pipeline.rejects import Verdict
from pipeline.schema import DIGITS, EARLIEST, LATEST, SCALE, conform
from pipeline.text import utf8

BEHIND: Final = timedelta(hours=5)  # of EST behind UTC
HOUR: Final = timedelta(hours=1)
FIVE: Final = timedelta(minutes=5)
NODE: Final = (rejects.NAME, "is no name of a node (1 to 150 printable characters)")
TOO_LARGE: Final = f"leaves an energy (LMP - MCC - MLC) outside ±10^{DIGITS - SCALE}"
NOT_A_STAMP: Final = "is no time such as 2026-10-02T16:50:00 (EST, without an offset)"

_LIMIT: Final = 10 ** (DIGITS - SCALE)
_MICROSECOND: Final = timedelta(microseconds=1)
_COMPONENTS: Final = ("energy", "congestion", "loss")
# Some files hold amounts as a spreadsheet shows them: $1,234.50 or -$3.52.
_MONEY: Final = (
    r"^(?:-?\$?|\$-)(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?$"
    r"|^(?:-\$|\$-?)\.[0-9]+$"
)
_FOOTERS: Final = 20  # lines at the end that may be none of the table
# No node's name has a blank, and no stamp is followed by a word.
_PROSE: Final = re.compile(rb'"?(?![0-9]+[/-][0-9])[^,]*\S +[A-Za-z]')


def table(content: bytes, begin: int) -> Lines:
    """The table whose header begins at that byte of the UTF-8 text, with its true line, and without what stands
    behind its last row: blank lines, `*END*`, sentences."""
    source = csvtable.lines(content[begin:])
    end = _end(source.text, source.begin, len(source.names))
    return Lines(source.names, content.count(b"\n", 0, begin) + source.header_line, source.text[:end], source.begin)


def _end(text: bytes, begin: int, fields: int) -> int:
    """Where the last row of the table ends. A row that is cut off stays a row."""
    end = len(text)
    for _ in range(_FOOTERS):
        at = text.rfind(b"\n", begin - 1, max(end - 1, begin - 1)) + 1
        if end <= begin or at < begin or not _is_footer(text[at:end].strip(), fields):
            break
        end = at
    return end


def _is_footer(line: bytes, fields: int) -> bool:
    bare = line.strip(b", \t")
    return not bare or bare.startswith(b"*") or (bare.count(b",") != fields - 1 and bool(_PROSE.match(bare)))


def amounts(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(values, problems) as `numbers.decimals` has them, with dollar signs and commas between thousands taken off,
    and without a problem where a cell says that there is no value."""
    values, problem = numbers.decimals(text)
    odd = problem.is_not_null().arg_true()
    if not odd.len():
        return values, problem
    cells = text.gather(odd).str.strip_chars()
    money = cells.str.contains(_MONEY)
    read, told = numbers.decimals(cells.zip_with(~money, cells.str.replace_all("[$,]", "")))
    return values.scatter(odd, read), problem.scatter(odd, told.set(numbers.missing(cells), None))


def intervals(text: pl.Series, length: timedelta, *, ends: bool) -> pl.DataFrame:
    """`stamp, start, end, problem` of the distinct stamps; `ends`: a stamp is the end of its interval."""
    distinct = text.unique()
    at = (stamps.local(distinct) + BEHIND).dt.replace_time_zone("UTC")
    start = at - length if ends else at
    return pl.DataFrame({"stamp": distinct, "start": start}).with_columns(
        end=pl.col("start") + length, problem=_place_problem(length)
    )


def _place_problem(length: timedelta) -> pl.Expr:
    """EST lies whole hours behind UTC, so intervals of an hour or less lie on the UTC grid."""
    off_grid = pl.col("start").dt.epoch("us") % (length // _MICROSECOND) != 0
    outside = ~pl.col("start").is_between(EARLIEST, LATEST, closed="left")
    return (
        pl.when(pl.col("start").is_null())
        .then(pl.lit(NOT_A_STAMP))
        .when(off_grid)
        .then(pl.lit(f"bounds no interval of {length // timedelta(minutes=1)} minutes"))
        .when(outside)
        .then(pl.lit(times.OUT_OF_BOUNDS))
    )


def ticks(rows: pl.DataFrame, names: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of rows that hold one price each.

    `rows`: the texts `stamp, location, price, congestion, loss` and, where it is published, `energy`; beside them
    `product, start, end, version, row` and the stamp's `problem`. `names`: what the document calls the texts.
    """
    rows = rows.with_columns(pl.col("location").str.strip_chars())
    read = {role: amounts(rows[role]) for role in ("price", *_COMPONENTS) if role in rows.columns}
    values = with_energy(pl.DataFrame({role: cells for role, (cells, _) in read.items()}))
    verdicts = [
        Verdict(names["stamp"], rows["stamp"], rows["problem"]),
        Verdict(names["location"], rows["location"], rejects.unless(rows["location"].fill_null(""), *NODE)),
        *(Verdict(names[role], rows[role], problem) for role, (_, problem) in read.items()),
        Verdict(names["price"], rows["price"], unheld(values)),
    ]
    refused = rejects.first_of_each(rows.select("row"), verdicts).select(list(REFUSED_ROWS))
    placed = rows.drop(read.keys()).hstack(values)
    there = values["price"].is_not_null()
    if refused.height:
        there &= ~rows["row"].is_in(refused["row"].implode())
    return shaped(placed if there.all() else placed.filter(there)), refused


def with_energy(values: pl.DataFrame) -> pl.DataFrame:
    """`price, congestion, loss` with `energy` and whether it is `derived`: it is where nobody published it."""
    if "energy" in values.columns:
        return values.with_columns(derived=pl.lit(value=False))
    energy = pl.col("price") - pl.col("congestion") - pl.col("loss")
    return values.with_columns(energy=energy, derived=pl.lit(value=True))


def unheld(values: pl.DataFrame) -> pl.Series:
    """The problem of prices whose derived energy cannot be held."""
    return rejects.no_problem(values.height).set((values["energy"].abs() >= _LIMIT).fill_null(value=False), TOO_LARGE)


def shaped(ticks: pl.DataFrame) -> pl.DataFrame:
    """PARSED of `product, location, start, end, price, energy, congestion, loss, derived, version, row` and maybe
    `location_type`. The identity is the interval's start, whichever bound a document publishes."""
    kind = ["location_type"] if "location_type" in ticks.columns else []
    return conform(
        ticks.select(
            *("product", "location", *kind, "start", "end", "price", *_COMPONENTS, "derived", "version", "row"),
            market=pl.lit("miso"),
            instrument=pl.format("miso.{}.{}", "product", "location"),
            ts=pl.col("start"),
            hold_end=pl.col("end"),
        ),
        PARSED,
    )


def plain(value: object) -> str:
    """The text of a decoded value, without lone surrogates, which no text may hold."""
    return str(value).encode(errors="replace").decode()


def starts_at(content: bytes, header: "re.Pattern[bytes]") -> tuple[bytes, int]:
    """(the document as UTF-8, the byte where its table's header begins). Raises `DataProcessingError`."""
    data = utf8(content)
    found = header.search(data)
    if found is None:
        raise refusal(
            "the document has no table of MISO's prices", "header", data[: rejects.SHOWN].decode(errors="replace")
        )
    return data, found.start()
