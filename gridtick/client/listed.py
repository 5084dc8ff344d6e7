"""The rows of a list, as they are iterated."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, Self, TypeVar, cast

from gridtick.client.rows import exact

RowT = TypeVar("RowT", bound=Mapping[str, Any])


class Page(NamedTuple):
    """What one answer holds; `complete` is there where it was asked for an instant."""

    rows: list[dict[str, Any]]
    complete: object


class Rows(Iterator[RowT], Generic[RowT]):
    """An iterator that fetches page after page.

    `complete`, where it was asked what was known at an instant: True: that can never change any more; False: of some
    page that has been fetched it can, for not everything that was known then has landed. None before the first page.
    """

    def __init__(self, pages: Iterable[Page]) -> None:
        self.complete: bool | None = None
        self._each = self._flat(pages)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RowT:
        return next(self._each)

    def _flat(self, pages: Iterable[Page]) -> Iterator[RowT]:
        for page in pages:
            if isinstance(page.complete, bool):
                self.complete = page.complete and self.complete is not False
            yield from cast("Iterator[RowT]", map(exact, page.rows))
