"""Page after page of a list."""

from typing import Any, NamedTuple

from gridtick.client.asked import Ask, Listing


class Page(NamedTuple):
    """What one answer holds; `complete` is there where it was asked for an instant."""

    rows: list[dict[str, Any]]
    complete: object


class Pager:
    """What to ask for next, until the list or its limit ends. `size`: rows of an answer; None: all that are left."""

    def __init__(self, listing: Listing[Any], size: int | None, how: dict[str, str] | None = None) -> None:
        self._listing = listing
        self._size = size
        self._given = {**listing.given, **(how or {})}
        self._left = listing.limit
        self._cursor: str | None = None
        self._is_over = False

    def ask(self) -> Ask | None:
        """The next request; None at the end."""
        if self._is_over or (self._left is not None and self._left <= 0):
            return None
        sizes = [each for each in (self._left, self._size) if each is not None]
        given = {**self._given, "limit": min(sizes, default=None), "cursor": self._cursor}
        return Ask("GET", self._listing.path, given, route=self._listing.route)

    def took(self, rows: int, cursor: str | None) -> None:
        """So many rows came, and the next ones are there."""
        self._left = None if self._left is None else self._left - rows
        self._cursor, self._is_over = cursor, cursor is None
