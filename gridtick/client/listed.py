"""The rows of a list, as they are iterated."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Generic, Self, TypeVar, cast

from gridtick.client.asked import Listing
from gridtick.client.http import Api, AsyncApi
from gridtick.client.paging import Page

RowT = TypeVar("RowT", bound=Mapping[str, Any])


class _Known:
    """`complete`, where it was asked what was known at an instant: True: that can never change any more; False: of some
    page that has been fetched it can, for not everything that was known then has landed. None before the first page.
    """

    def __init__(self) -> None:
        self.complete: bool | None = None

    def learn(self, told: object) -> None:
        """Takes what an answer says of itself."""
        if isinstance(told, bool):
            self.complete = told and self.complete is not False


class Rows(_Known, Iterator[RowT], Generic[RowT]):
    """An iterator that fetches page after page.

    `complete`, where it was asked what was known at an instant: True: that can never change any more; False: of some
    page that has been fetched it can, for not everything that was known then has landed. None before the first page.
    """

    def __init__(self, api: Api, listing: Listing[RowT]) -> None:
        super().__init__()
        self._api = api
        self._listing = listing
        self._each = self._flat()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RowT:
        return next(self._each)

    def _flat(self) -> Iterator[RowT]:
        for page in self._api.pages(self._listing):
            yield from self._taken(page)

    def _taken(self, page: Page) -> Iterator[RowT]:
        self.learn(page.complete)
        return cast("Iterator[RowT]", map(self._listing.shape, page.rows))


class AsyncRows(_Known, AsyncIterator[RowT], Generic[RowT]):
    """The same with `async for`."""

    def __init__(self, api: AsyncApi, listing: Listing[RowT]) -> None:
        super().__init__()
        self._api = api
        self._listing = listing
        self._each = self._flat()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RowT:
        return await anext(self._each)

    async def _flat(self) -> AsyncIterator[RowT]:
        async for page in self._api.pages(self._listing):
            self.learn(page.complete)
            for row in page.rows:
                yield cast("RowT", self._listing.shape(row))
