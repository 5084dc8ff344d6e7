"""What all documents of MISO share: its clock, its way to write amounts, and prices of intervals as ticks.

MISO's clock shows Eastern Standard Time all year, five hours behind UTC: every day has 24 hours. Energy (MEC) stands in
few documents; elsewhere it follows exactly, row by row: MEC = LMP - MCC - MLC.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import checks, csvtable, numbers, rejects, schema
from pipeline.checks import Check
from pipeline.csvtable import Lines
from pipeline.documents import PARSED, refusal
from pipeline.schema import DIGITS, LIMIT, SCALE
from pipeline.text import utf8, whole

BEHIND: Final = timedelta(hours=5)  # of EST behind UTC
HOUR: Final = timedelta(hours=1)
FIVE: Final = timedelta(minutes=5)
NODE: Final = (rejects.NAME, "is no name of a node (1 to 150 printable characters)")
TOO_LARGE: Final = f"leaves an energy (LMP - MCC - MLC) outside ±10^{DIGITS - SCALE}"

_AMOUNTS: Final = ("price", "energy", "congestion", "loss")
_PUBLISHED: Final = {**{role: f"{role} value" for role in _AMOUNTS}, "derived": pl.lit(value=False)}
_ENERGY: Final = pl.col("price value") - pl.col("congestion value") - pl.col("loss value")
_DERIVED: Final = {**_PUBLISHED, "energy": _ENERGY, "derived": pl.lit(value=True)}
_LARGE: Final = _ENERGY.abs() >= LIMIT
_SHARED: Final = {
    "market": pl.lit("miso"), "instrument": pl.format("miso.{}.{}", "product", "location"), "ts": "start",
    "hold_end": "end", **{name: name for name in ("product", "location", "start", "end", "version", "row")},
}  # fmt: skip
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


def amounts(cells: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """(values, problems) as `numbers.columns` has them, with dollar signs and commas between thousands taken off."""
    values, told = numbers.columns(cells)
    problems = dict[str, pl.Series]()
    for name, problem in told.items():
        read, left = _as_money(cells[name], values[name], problem)
        values = values.with_columns(read.alias(name))
        problems |= {name: left} if left.null_count() < left.len() else {}
    return values, problems


def _as_money(text: pl.Series, values: pl.Series, problem: pl.Series) -> tuple[pl.Series, pl.Series]:
    odd = problem.is_not_null().arg_true()
    cells = text.gather(odd).str.strip_chars()
    money = cells.str.contains(_MONEY)
    read, told = numbers.decimals(cells.zip_with(~money, cells.str.replace_all("[$,]", "")))
    return values.scatter(odd, read), problem.scatter(odd, told.set(numbers.missing(cells), None))


def ticks(rows: pl.DataFrame, names: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of rows that hold one price each.

    `rows`: the texts `stamp, location, price, congestion, loss` and, where it is published, `energy`; beside them
    `product, start, end, version, row` and the stamp's `problem`. `names`: what the document calls the texts.
    """
    texts = rows.select(role for role in _AMOUNTS if role in rows.columns)
    values, problems = amounts(texts)
    read = rows.with_columns(
        pl.col("location").fill_null("").str.strip_chars(),
        *(column.alias(f"{column.name} value") for column in values.iter_columns()),
        *(column.alias(f"{role} problem") for role, column in problems.items()),
    )
    derived = "energy" not in texts.columns
    good, refused = checks.parted(read, _checks(names, list(problems), derived=derived))
    priced = good.filter(pl.col("price value").is_not_null()) if good["price value"].null_count() else good
    return shaped(priced, _DERIVED if derived else _PUBLISHED), refused


def _checks(names: Mapping[str, str], unread: Sequence[str], *, derived: bool) -> list[Check]:
    return [
        checks.told(names["stamp"], "stamp", "problem"),
        checks.unless(names["location"], "location", *NODE),
        *(checks.told(names[role], role, f"{role} problem") for role in unread),
        *([Check(names["price"], "price", _LARGE, pl.lit(TOO_LARGE))] if derived else []),
    ]


def shaped(ticks: pl.DataFrame, columns: Mapping[str, pl.Expr | str]) -> pl.DataFrame:
    """PARSED of `product, location, start, end, version, row` and of `columns`, the parts of the price among them. The
    identity is the interval's start, whichever bound a document publishes."""
    return schema.shaped(ticks, PARSED, {**_SHARED, **columns})


def plain(value: object) -> str:
    """The text of a decoded value, without lone surrogates, which no text may hold."""
    return whole(str(value))


def starts_at(content: bytes, header: "re.Pattern[bytes]") -> tuple[bytes, int]:
    """(the document as UTF-8, the byte where its table's header begins). Raises `DataProcessingError`."""
    data = utf8(content)
    found = header.search(data)
    if found is None:
        raise refusal(
            "the document has no table of MISO's prices", "header", data[: rejects.SHOWN].decode(errors="replace")
        )
    return data, found.start()
