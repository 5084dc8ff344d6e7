"""Methods of both clients out of one function each, which says what is asked: parameters and their words stand once."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from gridtick.client.asked import Call, Lines, Listing
from gridtick.client.http import Api, AsyncApi
from gridtick.client.listed import AsyncRows, Rows, RowT
from gridtick.client.tables import AsyncTable, Table

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Any])


class Part:
    """A part of the blocking client."""

    def __init__(self, api: Api) -> None:
        self.api = api


class AsyncPart:
    """A part of the async client."""

    def __init__(self, api: AsyncApi) -> None:
        self.api = api


def call(ask: Callable[P, Call[T]]) -> Callable[Concatenate[Part, P], T]:
    @wraps(ask)
    def method(self: Part, /, *args: P.args, **given: P.kwargs) -> T:
        return self.api.call(ask(*args, **given))

    return _signed(method, ask)


def rows(ask: Callable[P, Listing[RowT]]) -> Callable[Concatenate[Part, P], Rows[RowT]]:
    @wraps(ask)
    def method(self: Part, /, *args: P.args, **given: P.kwargs) -> Rows[RowT]:
        return Rows(self.api, ask(*args, **given))

    return _signed(method, ask)


def table(ask: Callable[P, Listing[RowT]]) -> Callable[Concatenate[Part, P], Table[RowT]]:
    @wraps(ask)
    def method(self: Part, /, *args: P.args, **given: P.kwargs) -> Table[RowT]:
        return Table(self.api, ask(*args, **given))

    return _signed(method, ask)


def lines(ask: Callable[P, Lines[T]]) -> Callable[Concatenate[Part, P], Iterator[T]]:
    @wraps(ask)
    def method(self: Part, /, *args: P.args, **given: P.kwargs) -> Iterator[T]:
        return cast("Iterator[T]", self.api.lines(ask(*args, **given).ask))

    return _signed(method, ask)


def async_call(ask: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncPart, P], Coroutine[Any, Any, T]]:
    @wraps(ask)
    async def method(self: AsyncPart, /, *args: P.args, **given: P.kwargs) -> T:
        return await self.api.call(ask(*args, **given))

    return _signed(method, ask)


def async_rows(ask: Callable[P, Listing[RowT]]) -> Callable[Concatenate[AsyncPart, P], AsyncRows[RowT]]:
    @wraps(ask)
    def method(self: AsyncPart, /, *args: P.args, **given: P.kwargs) -> AsyncRows[RowT]:
        return AsyncRows(self.api, ask(*args, **given))

    return _signed(method, ask)


def async_table(ask: Callable[P, Listing[RowT]]) -> Callable[Concatenate[AsyncPart, P], AsyncTable[RowT]]:
    @wraps(ask)
    def method(self: AsyncPart, /, *args: P.args, **given: P.kwargs) -> AsyncTable[RowT]:
        return AsyncTable(self.api, ask(*args, **given))

    return _signed(method, ask)


def async_lines(ask: Callable[P, Lines[T]]) -> Callable[Concatenate[AsyncPart, P], AsyncIterator[T]]:
    @wraps(ask)
    def method(self: AsyncPart, /, *args: P.args, **given: P.kwargs) -> AsyncIterator[T]:
        return cast("AsyncIterator[T]", self.api.lines(ask(*args, **given).ask))

    return _signed(method, ask)


def _signed(method: M, ask: Callable[..., Any]) -> M:
    """With the signature that `help` shows: that of the function, and `self` before it."""
    shown = inspect.signature(ask)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = shown.replace(  # pyright: ignore[reportFunctionMemberAccess]
        parameters=[own, *shown.parameters.values()], return_annotation=inspect.Signature.empty
    )
    return method
