"""What a parameter may hold: texts, names, numbers and instants, each refused with a sentence."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from pipeline.schema import EARLIEST, LATEST

MAX_LIMIT: Final = 10_000
MAX_LONG: Final = 10_000_000  # rows of an answer that is sent as it is read
# The daily bar of the first day with prices starts up to a day before it, in zones on either side.
FIRST: Final = EARLIEST - timedelta(days=2)
FIRST_DAY: Final = EARLIEST.date()  # of a session or a delivery
LAST_DAY: Final = LATEST.date()

_NAME: Final = r"[a-z][a-z0-9_]*"
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS: Final = re.compile(r"[0-9]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.(?P<decimals>[0-9]+))?)?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EXAMPLE: Final = "Write 2026-07-01T00:00:00Z"
# What the document can say of instants and days: true of every good one, whatever its offset.
_YEARS: Final = r"199[0-9]|20[0-9]{2}"
WRITTEN: Final = (
    rf"^(1989-12-(29|3[01])|({_YEARS})-[0-9]{{2}}-[0-9]{{2}}|2100-01-0[12])"
    r"[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
_WRITTEN_DAY: Final = rf"^(({_YEARS})-[0-9]{{2}}-[0-9]{{2}}|2100-01-01)$"


def text(given: str) -> str:
    """A text that the stores can hold."""
    if "\0" in given:
        raise ValueError("holds a NUL character, which no name does.")
    if _SURROGATE.search(given):  # JSON can write one as \\ud800
        raise ValueError("holds half of a surrogate pair, which is no letter. Write both halves, or the letter itself.")
    return given


def tenant_of_rows(given: str) -> str:
    """A tenant that rows may have: PostgreSQL is told whose rows are read as a list with commas."""
    if "," in given:
        raise ValueError("holds a comma, which no id of a tenant does.")
    return given


def market_name(given: str) -> str:
    return _named(given, "is no market name. Write it in lower case, e.g. miso.")


def product_name(given: str) -> str:
    return _named(given, "is no product name. Write it in lower case, e.g. rt_5min.")


def digits(given: object) -> object:
    """A whole number as it is written: no sign, point, blank or underscore."""
    if isinstance(given, str) and not _DIGITS.fullmatch(given):
        raise ValueError("takes digits only, e.g. 1000.")
    return given


def flag(given: object) -> bool:
    """Yes or no, written in one way."""
    if isinstance(given, bool) or given not in {"true", "false"}:
        raise ValueError("takes true or false.")
    return given == "true"


def instant(given: object) -> datetime:
    """An instant of RFC 3339 with at most 6 decimals of the second (which may be left out), as UTC."""
    shape = _INSTANT.fullmatch(given) if isinstance(given, str) else None
    if shape is None:
        raise _no_instant()
    if shape["offset"] is None:
        raise ValueError(f"has no offset. {_EXAMPLE} or …-07:00.")
    if len(shape["decimals"] or "") > 6:
        raise ValueError("has more than 6 decimals of the second; microseconds are the finest.")
    return _within(_read(shape[0]))


def day(given: object) -> date:
    """A day as 2026-07-01 of the years that have prices: calendars know no others."""
    found = _day_of(given) if isinstance(given, str) and _DAY.fullmatch(given) else None
    if found is None:
        raise ValueError("is no day. Write it as 2026-07-01.")
    if not FIRST_DAY <= found <= LAST_DAY:
        raise ValueError(f"lies outside {FIRST_DAY} to {LAST_DAY}.")
    return found


def _day_of(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _named(given: str, refusal: str) -> str:
    if not re.fullmatch(_NAME, given):
        raise ValueError(refusal)
    return given


def _read(given: str) -> datetime:
    try:
        return datetime.fromisoformat(given.upper())
    except ValueError:
        raise _no_instant() from None


def _no_instant() -> ValueError:
    return ValueError(f"is no instant. {_EXAMPLE} (a + in an address is %2B).")


def _within(read: datetime) -> datetime:
    if not FIRST <= read <= LATEST:
        raise ValueError(f"lies outside {FIRST:%Y-%m-%d} to {LATEST:%Y-%m-%d}.")
    return read.astimezone(UTC)


Text = Annotated[str, AfterValidator(text), Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})]
MarketName = Annotated[
    str,
    Field(max_length=256, description="in lower case", examples=["miso"], json_schema_extra={"pattern": f"^{_NAME}$"}),
    AfterValidator(market_name),
]
ProductName = Annotated[
    str,
    Field(
        max_length=256, description="in lower case", examples=["rt_5min"], json_schema_extra={"pattern": f"^{_NAME}$"}
    ),
    AfterValidator(product_name),
]
Limit = Annotated[
    int,
    Field(ge=1, le=MAX_LIMIT, description=f"most rows of one answer, at most {MAX_LIMIT}; digits only"),
    BeforeValidator(digits),
]
LongLimit = Annotated[
    int,
    Field(
        ge=1,
        le=MAX_LONG,
        description=f"most rows of one answer. JSON: at most {MAX_LIMIT}. Other formats: all rows of the range where "
        f"it is left out, and at most {MAX_LONG}",
    ),
    BeforeValidator(digits),
]
Flag = Annotated[bool, BeforeValidator(flag)]
Instant = Annotated[
    datetime,
    BeforeValidator(instant),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": WRITTEN}),
]
Day = Annotated[
    date, BeforeValidator(day), WithJsonSchema({"type": "string", "format": "date", "pattern": _WRITTEN_DAY})
]
DAYS: Final = f"{FIRST_DAY} to {LAST_DAY}"
