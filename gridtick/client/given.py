"""What is given: address and key, of which what cannot work is refused before anything is sent, and parameters."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeAlias

import httpx

from gridtick.client.errors import GridtickError

DEFAULT_URL: Final = "http://127.0.0.1:8080"
_LAST_PORT: Final = 65_535

Instant: TypeAlias = datetime | str
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


def sendable(key: str) -> str:
    """The key, which a header must be able to hold."""
    if not key:
        raise GridtickError("No API key: give one, or set GRIDTICK_API_KEY.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise GridtickError(
            "The API key (GRIDTICK_API_KEY) holds a space, a line break or a character that no key has. Copy it again."
        )
    return key


def is_key(key: str) -> bool:
    """Whether the first 20 characters are the public part of a key."""
    return key.startswith("gt_live_") and len(key) > 40


def iso(given: date | str | None) -> str | None:
    """An instant or a day as text; a text as it is."""
    return given.isoformat() if isinstance(given, date) else given
