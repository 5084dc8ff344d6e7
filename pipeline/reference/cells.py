"""The cells of a CSV as typed columns, and which of them cannot be read."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Final

from pipeline.calendar import FIRST_DAY, LAST_DAY
from pipeline.reference.tables import Column, Kind
from pipeline.schema import LIMIT, SCALE
from pipeline.zones import is_zone

LONGEST: Final = 4_000  # characters of a text
SHOWN: Final = 80  # of a refused value
_INTEGER: Final = re.compile(r"[+-]?\d{1,15}")
_AMOUNT: Final = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}

Cell = str | int | bool | date | Decimal | None


class Unreadable(Exception):
    """A cell's text is no value of its column; says what to write."""


def values(column: Column, texts: Sequence[str | None]) -> tuple[list[Cell], list[tuple[int, str]]]:
    """The values of a column (null where there is none, or it cannot be read), and the problems by row from 0."""
    problems: list[tuple[int, str]] = []
    found: list[Cell] = []
    for row, text in enumerate(texts):
        try:
            found.append(_value(column, text))
        except Unreadable as error:
            found.append(None)
            problems.append((row, str(error)))
    return found, problems


def _value(column: Column, text: str | None) -> Cell:
    if text is None:
        if column.needed:
            raise Unreadable("is empty, and it is needed.")
        return None
    if len(text) > LONGEST:
        raise Unreadable(f"has {len(text)} characters; {LONGEST} are allowed.")
    value = _READ[column.kind](text)
    for problem in _limits(column, value):
        raise Unreadable(problem)
    return value


def _limits(column: Column, value: Cell) -> Iterator[str]:
    if column.among is not None and value not in column.among:
        yield f"is not one of {', '.join(sorted(column.among))}."
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if column.low is not None and value < column.low:
            yield f"lies below {column.low}."
        if column.high is not None and value > column.high:
            yield f"lies above {column.high}."


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or len(text) != len("2026-07-01"):
        raise Unreadable("is no date. Write it as 2026-07-01.")
    if not FIRST_DAY <= found <= LAST_DAY:
        raise Unreadable(f"lies outside {FIRST_DAY} to {LAST_DAY}. Leave the cell empty where there is no bound.")
    return found


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Unreadable("is no whole number.")
    return int(text)


def _amount(text: str) -> Decimal:
    try:
        value = Decimal(text) if _AMOUNT.fullmatch(text) else None
    except InvalidOperation:
        value = None
    if value is None:
        raise Unreadable("is no number. Write digits and a point, e.g. 0.001.")
    if abs(value) >= LIMIT or value != round(value, SCALE):
        raise Unreadable(f"does not fit: {SCALE} decimals, below {LIMIT}.")
    return value


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise Unreadable("is neither true nor false.")
    return _BOOLEANS[text]


def _zone(text: str) -> str:
    if not is_zone(text):
        raise Unreadable("is no time zone. Write a name such as America/New_York or UTC.")
    return text


def _clock(text: str) -> str:
    try:
        written = time.fromisoformat(text).strftime("%H:%M")
    except ValueError:
        written = ""
    if written != text:
        raise Unreadable("is no time of day. Write it as 17:00.")
    return text


_READ: Final[Mapping[Kind, Callable[[str], Cell]]] = {
    "text": str, "date": _date, "integer": _integer, "amount": _amount, "boolean": _boolean, "zone": _zone,
    "clock": _clock,
}  # fmt: skip
