"""MISO's daily files of hourly prices: one row for each node and part of its price (LMP, MCC, MLC), one column an hour.

The rows of a node may stand anywhere: node by node in older files, part by part in newer ones. HE n is the hour that
ends at n:00 EST; a day has 24 of them, clock changes or not.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import polars as pl

from pipeline import checks, csvtable, rejects, stamps, times
from pipeline.checks import Check
from pipeline.csvtable import Lines
from pipeline.documents import NO_REFUSALS, REFUSED_ROWS, Document, ParsedDocument, refusal
from pipeline.markets import miso_reports, miso_rows
from pipeline.markets.miso_parts import KEY, PARTS, aligned
from pipeline.markets.miso_rows import BEHIND, HOUR
from pipeline.schema import EARLIEST, LATEST, LIMIT

HOURS: Final = 24
_ENERGY: Final = pl.col("price") - pl.col("congestion") - pl.col("loss")
_COLUMNS: Final = {
    **{name: name for name in ("location_type", "price", "energy", "congestion", "loss")},
    "derived": pl.lit(value=True),
}
_HOUR: Final = re.compile(r"HE[ _]*0*([0-9]{1,3})", re.IGNORECASE)
_DATE: Final = re.compile(r"(?<![0-9/])(?:[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9/])")
_OTHER_ZONE: Final = re.compile(r"\b(?:EPT|EDT|CST|CDT|CPT)\b|daylight|prevailing|central", re.IGNORECASE)
_TYPE: Final = (r"^[^\x00-\x1f\x7f\x{fffd}]{0,150}$", "is no type of a node (at most 150 printable characters)")
_PART: Final = (f"^(?:{'|'.join(PARTS)})$", f"is no part of a price ({', '.join(PARTS)})")
_SHAPES: Final = {"location": miso_rows.NODE, "location_type": _TYPE, "part": _PART}


def parse(document: Document) -> ParsedDocument:
    """Every cell of an LMP row as a tick, but where it is blank, `NaN`, `N/A` or `-`: there is no price.

    A row with cells that cannot be read is refused with the first of them; its other cells are prices still. Rows of a
    node that come again are another publication, unless they are equal. Raises `DataProcessingError`.
    """
    data, begin = miso_rows.starts_at(document.content, miso_reports.DAY_HEADER)
    preamble = data[:begin].decode()
    product, version = miso_reports.hourly(document, preamble)
    midnight = _midnight(preamble)
    source = miso_rows.table(data, begin)
    _refuse_another(source)
    hours = _hours(source.names)
    table = csvtable.table(source, [*source.names[:3], *hours])
    if not (table.cells.height or table.broken.height):
        raise refusal("the file holds no data row", "document", document.name)
    cells, misplaced = _placed(table.cells, source.names)
    ticks, refused = _ticks(cells, hours, midnight)
    shaped = miso_rows.shaped(ticks.with_columns(product=pl.lit(product), version=version), _COLUMNS)
    bad = pl.concat([table.broken, misplaced, refused])
    if bad.height:
        bad = bad.unique("row", keep="first", maintain_order=True).sort("row")
    return ParsedDocument(shaped, bad, table.rows, source.header_line)


def _midnight(preamble: str) -> datetime:
    """Where the day of the lines above the table begins, in UTC."""
    zone = _OTHER_ZONE.search(preamble)
    if zone:
        raise refusal(f"MISO's hours are of Eastern Standard Time, these say {zone[0]}", "preamble", preamble)
    dates = sorted(set(_DATE.findall(preamble)))
    if len(dates) != 1:
        held = f"hold {', '.join(dates[:5])}" if dates else "hold none"
        raise refusal(f"one date is expected above the table, its lines {held}", "date", preamble.strip(", \r\n"))
    at = (stamps.local(pl.Series(dates)) + BEHIND).dt.replace_time_zone("UTC").item()
    if at is None or not EARLIEST <= at < LATEST:
        reason = "is no date" if at is None else times.OUT_OF_BOUNDS
        raise refusal(rejects.sentence("date", dates[0], reason), "date", dates[0])
    return at


def _refuse_another(source: Lines) -> None:
    """A second report behind the first would be read as prices of the first one's day."""
    cells = source.text[: source.begin].strip().split(b",", 3)
    if source.text.find(b",".join(cells[:3]), source.begin) >= 0:
        raise refusal("the file holds several reports one after the other: send each on its own", "header")


def _hours(names: list[str]) -> dict[str, int]:
    """The names of the columns of hours, with the hour that each ends."""
    read = {name: _HOUR.fullmatch(name) for name in names[3:]}
    found = {name: int(match[1]) for name, match in read.items() if match}
    outside = [name for name, hour in found.items() if not 1 <= hour <= HOURS]
    if outside:
        raise refusal(f"a day of MISO has hours 1 to {HOURS}, the header names {outside[0]}", "header", outside[0])
    if not found or len(set(found.values())) < len(found):
        reason = "comes twice" if found else "is absent"
        raise refusal(f"the header needs a column HE 1 to HE {HOURS} for each hour: one {reason}", "header", str(names))
    return found


def _placed(cells: pl.DataFrame, names: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(rows with `location, location_type, part`, REFUSED_ROWS of rows that are of no node or part)."""
    named = cells.with_columns(
        pl.col(name).str.strip_chars().alias(role) for role, name in zip(_SHAPES, names[:3], strict=True)
    )
    asked = [
        Check(name, name, ~pl.col(role).fill_null("").str.contains(shape), pl.lit(problem))
        for name, (role, (shape, problem)) in zip(names[:3], _SHAPES.items(), strict=True)
    ]
    good, refused = checks.parted(named.with_columns(pl.col("part").str.to_uppercase()), asked)
    return good.drop(names[:3]).with_columns(pl.col("location_type").replace("", None)), refused


def _ticks(cells: pl.DataFrame, hours: dict[str, int], midnight: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(prices of the rows' nodes and hours, REFUSED_ROWS)."""
    texts = cells.select(*hours)
    read, problems = miso_rows.amounts(texts)
    values = pl.concat(read.get_columns()).rechunk()  # hour after hour
    prices, orphans = aligned(cells)
    shift = pl.DataFrame({
        "shift": pl.int_range(len(hours), dtype=pl.UInt32, eager=True) * cells.height,
        "start": [midnight + HOUR * (hour - 1) for hour in hours.values()],
    }).sort("start")  # fmt: skip
    found = prices.join(shift, how="cross", maintain_order="left_right")
    places = {role: found[part] + found["shift"] for part, role in PARTS.items()}
    amounts = [values.gather(place).alias(role) for role, place in places.items()]
    found = found.hstack(amounts).with_columns(energy=_ENERGY, end=pl.col("start") + HOUR)
    large = (found["energy"].abs() >= LIMIT).fill_null(value=False)
    refused = _refused_cells(cells["row"], texts, problems, places["price"].filter(large))
    there = found["price"].is_not_null() & ~large
    kept = found if there.all() else found.filter(there)
    return (_publications(kept) if kept["nth"].max() else kept), pl.concat([orphans, refused])


def _publications(found: pl.DataFrame) -> pl.DataFrame:
    """Without those that are equal to the one before them of their node and hour."""
    values = ("price", "congestion", "loss")
    key = (*KEY, "start")
    same = pl.all_horizontal(pl.col(value).eq_missing(pl.col(value).shift().over(key)) for value in values)
    return found.filter((pl.int_range(pl.len()).over(key) == 0) | ~same)


def _refused_cells(
    rows: pl.Series, texts: pl.DataFrame, problems: Mapping[str, pl.Series], large: pl.Series
) -> pl.DataFrame:
    """REFUSED_ROWS: of each row its first bad cell, in the order of the columns, and how many more there are.

    `large`: the places, hour after hour, of prices whose energy cannot be held.
    """
    if not (problems or large.len()):
        return NO_REFUSALS
    fine = rejects.no_problem(rows.len())
    problem = pl.concat([problems.get(name, fine) for name in texts.columns]).scatter(large, miso_rows.TOO_LARGE)
    at = problem.is_not_null().arg_true()
    bad = pl.DataFrame({"row": rows.gather(at % rows.len())}).with_columns(
        field=pl.Series(texts.columns).gather(at // rows.len()),
        value=pl.concat(texts.get_columns()).gather(at).fill_null("").str.slice(0, rejects.SHOWN),
        problem=problem.gather(at),
    )
    first = bad.group_by("row", maintain_order=True).agg(pl.first("field", "value", "problem"), more=pl.len() - 1)
    also = pl.when(pl.col("more") > 0).then(pl.format(" (and {} more cells of the row)", "more")).otherwise(pl.lit(""))
    reason = pl.format("{} '{}' {}{}", "field", "value", "problem", also)
    return first.with_columns(reason=reason).select(list(REFUSED_ROWS))
