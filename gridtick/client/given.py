"""What is given: the address, of which what cannot work is refused before anything is sent, and parameters."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeAlias

import httpx

from gridtick.client.errors import GridtickError

DEFAULT_URL: Final = "http://127.0.0.1:8080"
_LAST_PORT: Final = 65_535

Instant: TypeAlias = datetime | str
Names: TypeAlias = str | Sequence[str]
Parameters: TypeAlias = Mapping[str, str | int | Sequence[str] | None]


def address(url: str) -> str:
    """An address that requests can go to, without a slash at its end."""
    try:
        read = httpx.URL(url)
        fine = read.scheme in {"http", "https"} and read.host != "" and (read.port or 0) <= _LAST_PORT
    except (httpx.InvalidURL, ValueError):
        fine = False
    if not fine:
        raise GridtickError(f"{url!r} is no address of an API. Write it like {DEFAULT_URL} (GRIDTICK_URL).")
    return url.rstrip("/")


def iso(given: date | str | None) -> str | None:
    """An instant or a day as text; a text as it is."""
    return given.isoformat() if isinstance(given, date) else given


def names_of(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def there(values: Mapping[str, object]) -> dict[str, object]:
    """Those that are given."""
    return {name: value for name, value in values.items() if value is not None}
