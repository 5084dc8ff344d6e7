"""All documents of one message or file, read together: an archive may spread one price over several of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline import markets, unpack
from pipeline.documents import (
    NO_REFUSALS,
    NO_TICKS,
    REFUSED_ROWS,
    Document,
    Joiner,
    ParsedDocument,
    below,
    refusal,
)
from pipeline.errors import DataProcessingError
from pipeline.rejects import SHOWN
from pipeline.schema import Schema, empty
from pipeline.text import whole

MOST_REFUSED: Final = 10_000  # rows of one document, and never less than a quarter of them
_PART: Final = 4

MEMBER_REJECTS: Final[Schema] = {**REFUSED_ROWS, "member": pl.String(), "line": pl.Int32()}
_NO_REJECTS: Final = empty(MEMBER_REJECTS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of every document.

    `ticks` (PARSED) and `rejects` (MEMBER_REJECTS: the document's name and the line of its file) number the rows on
    from one document to the next. `refused`: (name, error) of the documents refused as a whole; `documents`: how
    many there are in all.
    """

    ticks: pl.DataFrame
    rejects: pl.DataFrame
    refused: list[tuple[str, DataProcessingError]]
    documents: int


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    before: int  # rows of the documents before it
    parsed: ParsedDocument


def read(data: bytes, name: str, market: str | None = None, product: str | None = None) -> Reading:
    """The documents in `data`, itself one or an archive; `market` and `product` in lower case, or null.

    Raises `DataProcessingError` where nothing can be unpacked, and where all that was read holds no price.
    """
    found, refused, before = list[_Member](), list[tuple[str, DataProcessingError]](), 0
    documents = unpack.unpack(data, _clean(name))
    for member, content in documents:
        short = _clean(member)
        try:
            parsed = _parsed(content, short, market, product)
        except DataProcessingError as error:
            refused.append((short, error))
            continue
        found.append(_Member(short, before, parsed))
        before += parsed.rows
    ticks, rejects = _joined(found)
    ticks, rejects, beyond = _without_hopeless(ticks, rejects, found)
    if ticks.is_empty() and rejects.is_empty() and not refused and not beyond:
        raise refusal("the report holds no price: every price in it is missing", "document", _clean(name))
    return Reading(ticks, rejects, refused + beyond, len(documents))


def _clean(name: str) -> str:
    """A file's name may hold what is no Unicode."""
    return whole(name[:SHOWN])


def _parsed(content: bytes | DataProcessingError, name: str, market: str | None, product: str | None) -> ParsedDocument:
    if isinstance(content, DataProcessingError):
        raise content
    return markets.parse(Document(content, name, market, product))


def _joined(found: Sequence[_Member]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, MEMBER_REJECTS) of all documents."""
    ticks, refused = list[pl.DataFrame](), list[pl.DataFrame]()
    parts: dict[Joiner, list[pl.DataFrame]] = {}
    for each in found:
        ticks.append(_moved(each.parsed.ticks, each))
        refused.append(_moved(each.parsed.rejects, each))
        if each.parsed.parts is not None:
            parts.setdefault(each.parsed.parts.join, []).append(_moved(each.parsed.parts.frame, each))
    for join, frames in parts.items():
        more, orphans = join(pl.concat(frames).rechunk())
        ticks.append(more)
        refused.append(orphans)
    return below(ticks, NO_TICKS), _named(below(refused, NO_REFUSALS), found)


def _moved(rows: pl.DataFrame, member: _Member) -> pl.DataFrame:
    return rows.with_columns(pl.col("row") + member.before) if member.before else rows


def _named(refused: pl.DataFrame, found: Sequence[_Member]) -> pl.DataFrame:
    if refused.is_empty():
        return _NO_REJECTS
    refused = refused.sort("row", maintain_order=True)
    place = _places(refused["row"], found)
    names = pl.Series([each.name for each in found], dtype=pl.String)
    ahead = pl.Series([each.parsed.header_line - each.before for each in found], dtype=pl.Int32)
    return refused.with_columns(member=names.gather(place), line=refused["row"] + ahead.gather(place))


def _places(rows: pl.Series, found: Sequence[_Member]) -> pl.Series:
    """The place of each row's document."""
    before = pl.Series([each.before for each in found], dtype=pl.Int32)
    return before.search_sorted(rows, side="left") - 1


def _without_hopeless(
    ticks: pl.DataFrame, rejects: pl.DataFrame, found: Sequence[_Member]
) -> tuple[pl.DataFrame, pl.DataFrame, list[tuple[str, DataProcessingError]]]:
    """A document with too many refused rows is refused as a whole, with their number and the first of them."""
    if rejects.height <= MOST_REFUSED:
        return ticks, rejects, []
    place = _places(rejects["row"], found)
    many = [
        at
        for at, count in place.value_counts(name="count").iter_rows()
        if count > max(MOST_REFUSED, found[at].parsed.rows // _PART)
    ]
    beyond = [(found[at].name, _hopeless(rejects.filter(place == at), found[at].parsed.rows)) for at in sorted(many)]
    kept = _places(ticks["row"], found).is_in(many)
    return ticks.filter(~kept), rejects.filter(~place.is_in(many)), beyond


def _hopeless(rejects: pl.DataFrame, rows: int) -> DataProcessingError:
    first = rejects.row(0, named=True)
    told = f"{rejects.height} of {rows} rows are refused, the first (line {first['line']}): {first['reason']}"
    return refusal(told, first["field"], first["value"])
